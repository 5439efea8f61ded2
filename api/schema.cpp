#include "api/schema.hpp"

#include <string_view>

namespace evaljob::schema {
namespace {

/// Splits "eval.datasets[].name" into "eval" and "datasets[].name"; "[].name" into "[]" and "name".
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
    if (path.starts_with("[]")) {
        path.remove_prefix(2);
        if (path.starts_with('.')) path.remove_prefix(1);
        return {"[]", path};
    }
    const std::size_t end = path.find_first_of(".[");
    if (end == std::string_view::npos) return {path, {}};
    return {path.substr(0, end), path.substr(path[end] == '.' ? end + 1 : end)};
}

void insert(Node& parent, std::string_view path, const Field& field) {
    const auto [first, rest] = split_first(path);
    std::vector<Node>& siblings = first == "[]" ? parent.item : parent.members;
    if (rest.empty()) {
        siblings.push_back(Node{.key = std::string(first), .field = &field, .members = {}, .item = {}});
        return;
    }
    for (Node& sibling : siblings) {
        if (sibling.key == first) return insert(sibling, rest, field);
    }
}

/// Rows come parents first; a test holds that none is lost.
Node tree_of(const std::vector<Field>& fields) {
    Node root{.key = fields.front().path, .field = &fields.front(), .members = {}, .item = {}};
    for (std::size_t i = 1; i < fields.size(); ++i) {
        insert(root, std::string_view(fields[i].path).substr(root.key.size() + 1), fields[i]);
    }
    return root;
}

}  // namespace

const Node& spec_tree() {
    static const Node tree = tree_of(spec_fields());
    return tree;
}

const Node& status_tree() {
    static const Node tree = tree_of(status_fields());
    return tree;
}

const Node* find(const Node& root, const std::string& path) {
    const Node* node = &root;
    for (std::string_view rest = path; !rest.empty();) {
        const auto [first, next] = split_first(rest);
        const Node* below = nullptr;
        for (const Node& candidate : first == "[]" ? node->item : node->members) {
            if (candidate.key == first) below = &candidate;
        }
        if (below == nullptr) return nullptr;
        node = below;
        rest = next;
    }
    return node;
}

}  // namespace evaljob::schema
