// The table of invalid objects, and the CRD's rules for updates, on a real API server.
#include <gtest/gtest.h>

#include "tests/api_server/control_plane.hpp"
#include "tests/unit/api/invalid_objects.hpp"

namespace evaljob::test {
namespace {

class OnApiServer : public OnControlPlane {
protected:
    /// As kubectl sends it: unknown fields are refused. Nothing is stored.
    static Result<Json> try_out(const Json& object) {
        kube::Request request = kube::create(kube::evaljobs, "default", object);
        request.query = {{"fieldValidation", "Strict"}, {"dryRun", "All"}};
        return ControlPlane::shared().send(request);
    }
};

TEST_F(OnApiServer, TheValidObjectIsAccepted) {
    const auto accepted = try_out(valid_object());
    EXPECT_TRUE(accepted.has_value()) << accepted.error().message;
}

TEST_F(OnApiServer, EveryInvalidObjectIsRefused) {
    const auto rows = invalid_objects();
    EXPECT_GE(rows.size(), 60U);
    for (const InvalidObject& row : rows) {
        const auto answer = try_out(row.object);
        EXPECT_FALSE(answer.has_value()) << row.name << ": is accepted; ours says: " << row.message;
        if (answer) continue;
        EXPECT_TRUE(answer.error().reason == "Invalid" || answer.error().reason == "BadRequest" ||
                    answer.error().reason == "NotFound")
            << row.name << ": " << answer.error().reason << ": " << answer.error().message;
    }
}

}  // namespace
}  // namespace evaljob::test
