#include "fake_api.hpp"

namespace evaljob::testing {
namespace {

kube::Response status(int code, const std::string& reason) {
    return {code, Json{{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", reason}}.dump()};
}

std::string folder(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

class FakeApi::Stream : public kube::ByteStream {
public:
    explicit Stream(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
    Result<std::string_view> read() override {
        pending_ = false;
        if (watch_->lines.empty()) {
            pending_ = !watch_->ended;
            return std::string_view();
        }
        line_ = std::move(watch_->lines.front());
        watch_->lines.pop_front();
        return std::string_view(line_);
    }
    bool pending() const override { return pending_; }
    void cancel() override { watch_->ended = true; }

private:
    std::shared_ptr<Watch> watch_;
    std::string line_;
    bool pending_ = false;
};

Result<kube::Response> FakeApi::send(const kube::Request& request) {
    const char* const verbs[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    if (request.verb != kube::Verb::Get)
        writes.push_back(std::string(verbs[static_cast<int>(request.verb)]) + " " + request.path);
    if (instead)
        if (auto answer = instead(request)) return *answer;
    switch (request.verb) {
        case kube::Verb::Post:
            return create(request);
        case kube::Verb::Patch:
            return patch(request);
        case kube::Verb::Delete: {
            Json* object = find(request.path);
            if (!object) return status(404, "NotFound");
            Json going = *object;
            going["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z";
            put(request.path, going);
            return kube::Response{200, objects.at(request.path).dump()};
        }
        default:
            break;
    }
    if (Json* object = find(request.path)) return kube::Response{200, object->dump()};
    if (request.query.contains("limit")) return list(request.path);
    return status(404, "NotFound");
}

kube::Response FakeApi::create(const kube::Request& request) {
    Json object = Json::parse(request.body);
    const std::string path = request.path + "/" + object.at("metadata").at("name").get<std::string>();
    if (find(path)) return status(409, "AlreadyExists");
    object["metadata"]["uid"] = "uid-" + std::to_string(version_ + 1);
    put(path, std::move(object));
    return {201, objects.at(path).dump()};
}

kube::Response FakeApi::patch(const kube::Request& request) {
    Json* object = find(folder(request.path));
    if (!object) return status(404, "NotFound");
    const Json change = Json::parse(request.body);
    if (change.at("metadata").at("resourceVersion") != object->at("metadata").at("resourceVersion"))
        return status(409, "Conflict");
    Json after = *object;
    after["status"].merge_patch(change.at("status"));
    put(folder(request.path), after);
    return {200, objects.at(folder(request.path)).dump()};
}

kube::Response FakeApi::list(const std::string& path) {
    Json items = Json::array();
    for (const auto& [at, object] : objects)
        if (folder(at) == path) items.push_back(object);
    return {200, Json{{"metadata", {{"resourceVersion", std::to_string(version_)}}}, {"items", items}}.dump()};
}

Result<std::unique_ptr<kube::ByteStream>> FakeApi::open(const kube::Request& request) {
    watches_.push_back(std::make_shared<Watch>(Watch{request.path, {}, false}));
    return std::make_unique<Stream>(watches_.back());
}

void FakeApi::put(const std::string& path, Json object) {
    const bool is_new = !objects.contains(path);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    objects[path] = object;
    tell(is_new ? "ADDED" : "MODIFIED", path, object);
}

void FakeApi::erase(const std::string& path) {
    Json object = objects.at(path);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    objects.erase(path);
    tell("DELETED", path, object);
}

Json* FakeApi::find(const std::string& path) {
    const auto found = objects.find(path);
    return found == objects.end() ? nullptr : &found->second;
}

void FakeApi::end_watches() {
    for (const auto& watch : watches_) watch->ended = true;
}

void FakeApi::tell(const char* type, const std::string& path, const Json& object) {
    std::erase_if(watches_, [](const auto& watch) { return watch->ended && watch.use_count() == 1; });
    for (const auto& watch : watches_)
        if (!watch->ended && watch->path == folder(path))
            watch->lines.push_back(Json{{"type", type}, {"object", object}}.dump() + "\n");
}

}  // namespace evaljob::testing
