#include "api/printable_lines.hpp"

#include <gtest/gtest.h>

#include "api/json.hpp"

namespace evaljob {
namespace {

TEST(PrintableLines, AreLinesStill) {
    EXPECT_EQ(printable_lines("a\n\x1b[1mb\r\n"), "a\n\\x1b[1mb\\r\n");
    EXPECT_EQ(printable_lines(""), "");
}

TEST(JsonLine, IsTheSameObjectAndShowsWhatActs) {
    const Json plain{{"text", "Grüße\n…"}};
    EXPECT_EQ(json_line(plain), "{\"text\":\"Grüße\\n…\"}");
    const Json acting{{"text", "a\x1b[2J\x7f\xc2\x9b\xe2\x80\xae ü"}};
    EXPECT_EQ(json_line(acting), R"({"text":"a\u001b[2J\u007f\u009b\u202e \u00fc"})");
    EXPECT_EQ(Json::parse(json_line(acting)), acting);
    EXPECT_EQ(json_line(Json("\xff")), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace evaljob
