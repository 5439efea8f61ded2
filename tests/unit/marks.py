"""What programs that the tests start leave in a folder: the lines that they note, and what they did once already."""
import os


class Marks:
    def __init__(self, folder):
        self.folder = folder

    def note(self, name, text):
        with open(os.path.join(self.folder, name), "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def first_time(self, name):
        try:
            os.close(os.open(os.path.join(self.folder, name), os.O_CREAT | os.O_EXCL))
            return True
        except FileExistsError:
            return False
