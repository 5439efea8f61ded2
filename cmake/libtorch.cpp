// Nothing: libtorch.so is asked for by its name alone, and brings the libraries that it is linked to (torch.cmake).
