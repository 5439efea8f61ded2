// Stands in place of evaljob-runner/storage/posix_disk.cpp: the runner's own code meets the simulated disk.
#include "evaljob-runner/storage/disk.hpp"
#include "tests/simulation/runner/simulated_disk.hpp"

namespace evaljob::disk {

using simulation::disk_here;

int open(const std::string& path, int flags) { return disk_here()->open(path, flags); }
ssize_t read(int descriptor, char* bytes, std::size_t size) { return disk_here()->read(descriptor, bytes, size); }
ssize_t write(int descriptor, const char* bytes, std::size_t size) {
    return disk_here()->write(descriptor, bytes, size);
}
int sync(int descriptor) { return disk_here()->sync(descriptor); }
int close(int descriptor) { return disk_here()->close(descriptor); }
int lock(int /*descriptor*/) { return 0; }  // merges run one at a time here
void forget_cached(int descriptor) { disk_here()->forget_cached(descriptor); }
Status status(int descriptor) { return disk_here()->status(descriptor); }
Status status(const std::string& path) { return disk_here()->status(path); }
int rename(const std::string& from, const std::string& to) { return disk_here()->rename(from, to); }
int unlink(const std::string& path) { return disk_here()->unlink(path); }
int make_folder(const std::string& path) { return disk_here()->make_folder(path); }
int remove_folder(const std::string& path) { return disk_here()->remove_folder(path); }
std::optional<std::vector<std::string>> names_in(const std::string& folder) { return disk_here()->names_in(folder); }
const char* map(int descriptor, std::size_t size) { return disk_here()->map(descriptor, size); }
void unmap(const char* bytes, std::size_t /*size*/) { delete[] bytes; }
std::string unique_name() { return disk_here()->unique_name(); }

}  // namespace evaljob::disk
