#include "evaljob-runner/engine/package_archive.hpp"

#include <c10/util/Exception.h>
#include <caffe2/serialize/inline_container.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "evaljob-runner/engine/text_model.hpp"
#include "evaljob-runner/engine/torch_bytes.hpp"
#include "evaljob-runner/engine/torch_classifier.hpp"
#include "evaljob-runner/engine/torch_words.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

namespace fs = std::filesystem;
using caffe2::serialize::PyTorchStreamReader;

constexpr const char* programs_folder = "data/aotinductor/";
constexpr const char* description_record = "extra/evaljob.json";
const std::vector<const char*> one_program{"model"};
const std::vector<const char*> text_programs{"prefill", "step"};
constexpr std::size_t most_files = 10'000;
constexpr std::uint64_t most_bytes_per_byte = 16;  // torch packs without compression; other zip programs may not

tl::unexpected<Error> no_program(PyTorchStreamReader& archive, const std::string& program) {
    if (archive.hasRecord("constants.pkl"))
        return fail("BadInput", "is a TorchScript file; set spec.eval.model.format: TorchScript");
    if (archive.hasRecord("models/model.json"))
        return fail(
            "BadInput",
            "is an exported model that is not compiled; compile it with torch._inductor.aoti_compile_and_package");
    if (archive.hasRecord(description_record))
        return fail("BadInput", std::string("has ") + text_model_file + ", but no compiled program `" + program +
                                    "`; a model that generates texts has prefill and step (docs/runner.md)");
    return fail("BadInput", "holds no compiled program `" + program +
                                "`; make it with torch._inductor.aoti_compile_and_package, or, for a model that "
                                "generates texts, with the extra file " +
                                text_model_file + " (docs/runner.md)");
}

/// What may still be unpacked.
using Room = std::uint64_t;

/// Those of the program, by their name within its folder.
Result<std::vector<std::string>> program_files(PyTorchStreamReader& archive, const std::string& folder, Room& room) {
    std::vector<std::string> names;
    for (const std::string& record : archive.getAllRecords()) {
        if (record.starts_with("data/weights/") || record.ends_with(".blob"))
            return fail("BadInput",
                        "keeps its weights outside of its shared object, which is not supported; leave out "
                        "aot_inductor.package_constants_in_so and package_constants_on_disk_format when compiling");
        if (!record.starts_with(folder)) continue;
        const std::string name = record.substr(folder.size());
        if (name.empty() || name.find('/') != std::string::npos) continue;
        const std::uint64_t size = archive.getRecordSize(record);
        if (size > room) return fail("BadInput", "would unpack to more than 16 times its size");
        room -= size;
        names.push_back(name);
    }
    return names;
}

Result<void> write(const std::string& path, const void* bytes, std::size_t size) {
    std::ofstream file(path, std::ios::binary);
    file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    if (!file.flush()) return write_failure(path, errno);
    return {};
}

/// Into a new folder `to`.
Result<ProgramFiles> unpack_program(PyTorchStreamReader& archive, const std::string& program, const std::string& to,
                                    Room& room) {
    const std::string from = programs_folder + program + "/";
    const auto names = program_files(archive, from, room);
    if (!names) return tl::unexpected(names.error());
    const auto library =
        std::find_if(names->begin(), names->end(), [](const std::string& name) { return name.ends_with(".so"); });
    if (library == names->end()) return no_program(archive, program);
    const std::string metadata = library->substr(0, library->size() - 3) + "_metadata.json";
    if (std::find(names->begin(), names->end(), metadata) == names->end())
        return fail("BadInput", "does not say what it was compiled for; compile it with torch " + torch_version());
    if (::mkdir(to.c_str(), 0700) != 0) return write_failure(to, errno);
    ProgramFiles files{to, to + "/" + *library, ""};
    for (const std::string& name : *names) {
        const auto [bytes, size] = archive.getRecord(from + name);
        if (name == metadata) files.metadata.assign(static_cast<const char*>(bytes.get()), size);
        if (auto written = write(to + "/" + name, bytes.get(), size); !written) return tl::unexpected(written.error());
    }
    return files;
}

/// Empty when there is none.
Result<std::string> read_description(PyTorchStreamReader& archive, Room& room) {
    if (!archive.hasRecord(description_record)) return std::string();
    const std::uint64_t stored = archive.getRecordSize(description_record);
    if (stored > room) return fail("BadInput", "would unpack to more than 16 times its size");
    room -= stored;
    const auto [bytes, size] = archive.getRecord(description_record);
    return std::string(static_cast<const char*>(bytes.get()), size);
}

Result<PackageFiles> unpack(PyTorchStreamReader& archive, std::size_t archive_size) {
    if (const auto files = archive.getAllRecords().size(); files > most_files)
        return fail("BadInput", "holds " + std::to_string(files) + " files; a package has a few");
    Room room = most_bytes_per_byte * archive_size;
    auto description = read_description(archive, room);
    if (!description) return tl::unexpected(description.error());
    auto folder = TemporaryFolder::make();
    if (!folder) return tl::unexpected(folder.error());
    PackageFiles files{std::make_shared<TemporaryFolder>(std::move(*folder)), std::move(*description), {}};
    const bool generates = !files.description.empty();
    for (const char* program : generates ? text_programs : one_program) {
        auto unpacked = unpack_program(archive, program, files.folder->path() + "/" + program, room);
        if (!unpacked) return tl::unexpected(unpacked.error());
        files.programs.emplace(program, std::move(*unpacked));
    }
    return files;
}

}  // namespace

Result<TemporaryFolder> TemporaryFolder::make() {
    std::error_code none;
    const fs::path parent = fs::temp_directory_path(none);
    std::string path = (none ? fs::path("/tmp") : parent) / "evaljob-package-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return write_failure(path, errno);
    return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
    if (!path_.empty()) remove_all(path_);
}

Result<PackageFiles> unpack_package(std::string_view bytes) {
    const auto damaged = [](const std::string& why) {
        return fail("BadInput",
                    "is no AOTInductor package, or a damaged one; make it with "
                    "torch._inductor.aoti_compile_and_package. libtorch says: " +
                        essence_of(why));
    };
    try {
        PyTorchStreamReader archive(std::make_shared<TorchBytes>(bytes));
        return unpack(archive, bytes.size());
    } catch (const c10::Error& error) {
        return damaged(error.what_without_backtrace());
    } catch (const std::exception& error) {
        return damaged(error.what());
    }
}

}  // namespace evaljob
