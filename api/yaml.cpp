#include "api/yaml.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/null.h>
#include <yaml-cpp/parser.h>

#include "api/yaml_builder.hpp"
#include "api/yaml_scalar.hpp"

namespace evaljob {
namespace {

tl::unexpected<Error> invalid(const std::string& where, const std::string& what) {
    return fail("InvalidYaml", where + ": " + what);
}

/// The 1-based number of the first line that is not UTF-8 or holds a NUL; 0 when there is none.
std::size_t line_that_is_no_text(std::string_view text) {
    std::size_t line = 1;
    while (true) {
        const std::size_t end = text.find('\n');
        const std::string_view part = text.substr(0, end);
        if (part.find('\0') != std::string_view::npos) return line;
        try {
            static_cast<void>(Json(part).dump());  // nlohmann checks UTF-8 when it writes
        } catch (const Json::exception&) {
            return line;
        }
        if (end == std::string_view::npos) return 0;
        text.remove_prefix(end + 1);
        ++line;
    }
}

/// yaml-cpp's words, or plainer ones where it stumbles over a tab.
std::string reason_of(const YAML::Exception& failure, std::string_view text) {
    for (int line = 0; line < failure.mark.line && text.find('\n') != std::string_view::npos; ++line) {
        text.remove_prefix(text.find('\n') + 1);
    }
    const std::string_view indentation = text.substr(0, text.find_first_not_of(" \t"));
    if (indentation.find('\t') != std::string_view::npos) return "YAML is indented by spaces, here stands a tab";
    if (failure.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW) return "a list that was opened with [ is not closed";
    if (failure.msg == YAML::ErrorMsg::END_OF_MAP_FLOW) return "an object that was opened with { is not closed";
    return failure.msg;
}

Result<Json> parse_yaml_text(std::string_view text, const std::string& file) {
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        YamlBuilder first;
        if (!parser.HandleNextDocument(first) || first.root().is_null()) {
            return invalid(file, "holds no object; an EvalJob is expected");
        }
        YamlBuilder second;
        if (parser.HandleNextDocument(second)) {
            return invalid(file, "holds more than one document; one EvalJob a file");
        }
        return first.root();
    } catch (const YAML::Exception& failure) {
        if (failure.mark.is_null()) return invalid(file, failure.msg);
        const std::string where =
            file + ":" + std::to_string(failure.mark.line + 1) + ":" + std::to_string(failure.mark.column + 1);
        return invalid(where, reason_of(failure, text));
    }
}

void emit(YAML::Emitter& out, const Json& value) {
    switch (value.type()) {
        case Json::value_t::object:
            // An empty collection has no block style.
            if (value.empty()) out << YAML::Flow;
            out << YAML::BeginMap;
            for (const auto& [key, member] : value.items()) {
                out << YAML::Key;
                emit(out, Json(key));
                out << YAML::Value;
                emit(out, member);
            }
            out << YAML::EndMap;
            break;
        case Json::value_t::array:
            if (value.empty()) out << YAML::Flow;
            out << YAML::BeginSeq;
            for (const Json& item : value) emit(out, item);
            out << YAML::EndSeq;
            break;
        case Json::value_t::string: {
            const std::string text = value.get<std::string>();
            if (!is_plainly_a_string(text)) out << YAML::DoubleQuoted;
            out << text;
            break;
        }
        case Json::value_t::null:
            out << YAML::Null;
            break;
        default:
            out << value.dump();  // numbers and booleans are written as JSON writes them
    }
}

}  // namespace

Result<Json> parse_yaml(std::string_view text, const std::string& file) {
    if (text.size() > max_yaml_bytes) {
        return fail("TooLarge", file + ": is over 1 MiB; an EvalJob is a small file of YAML or JSON");
    }
    if (const std::size_t line = line_that_is_no_text(text); line != 0) {
        return invalid(file + ":" + std::to_string(line), "is not UTF-8 text");
    }
    // JSON is YAML, but yaml-cpp stumbles over tabs and surrogate pairs. What is no JSON may still be YAML's {…}.
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos && text[begin] == '{') {
        if (auto parsed = parse_json_text(text); parsed.value) {
            return *parsed.value;
        } else if (!parsed.refusal.empty()) {
            return invalid(file, parsed.refusal);
        }
    }
    return parse_yaml_text(text, file);
}

Result<Json> read_yaml_file(const std::string& path) {
    std::ifstream file;
    const bool standard_input = path == "-";
    if (!standard_input) {
        file.open(path, std::ios::binary);
        if (!file) return fail("NotFound", path + ": cannot be opened; is the path right?");
    }
    std::istream& stream = standard_input ? std::cin : file;
    std::string text(max_yaml_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return fail("ReadFailed", path + ": cannot be read; is it a file?");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return parse_yaml(text, standard_input ? "standard input" : path);
}

std::string to_yaml(const Json& value) {
    YAML::Emitter out;
    out.SetIndent(2);
    emit(out, value);
    return std::string(out.c_str()) + "\n";
}

}  // namespace evaljob
