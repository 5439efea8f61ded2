// Frames of the wire, from three ranks in turn, fed to a coordinator as its shell would: a length (two bytes here, for
// short inputs), then a message.
#include <algorithm>
#include <set>

#include "evaljob-runner/coordinator/coordinator.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/runner/hellos.hpp"

using namespace evaljob;

namespace {

constexpr std::uint64_t ranks = 3;
constexpr std::size_t longest_frame = 1U << 20U;

Coordinator coordinator() {
    CoordinatorOptions options;
    options.expected = test::expected_of(1, ranks);
    options.token = test::run_token;
    options.identity = "identity";
    return Coordinator(options, {{4, false}, {4, false}, {2, true}, {1, false}});
}

void check_message(const Message& message) {
    const std::string text = encode_message(message);
    const auto again = decode_message(text);
    fuzz::require(again.has_value(), "a message that was read and written reads again");
    fuzz::require(encode_message(*again) == text, "a message that was read and written is the same");
}

class Shell {
public:
    void take(SessionId session, const Message& message) { apply(coordinator_.message(session, message, ++now_)); }
    void drop(SessionId session) { apply(coordinator_.disconnected(session, ++now_)); }
    void pass(Milliseconds time) { apply(coordinator_.tick(now_ += time)); }

private:
    void apply(const Effects& effects) {
        for (const Effect& effect : effects) {
            if (const auto* send = std::get_if<Send>(&effect)) check_sent(send->message);
            if (std::holds_alternative<WriteDoneMarker>(effect)) {
                const auto progress = coordinator_.progress(now_);
                fuzz::require(progress.samples_done == progress.samples_total, "done is said when all is");
            }
        }
        const auto progress = coordinator_.progress(now_);
        fuzz::require(progress.samples_done <= progress.samples_total, "no more is done than there is");
        fuzz::require(progress.ranks.size() <= ranks, "only the job's ranks register");
    }

    void check_sent(const Message& message) {
        check_message(message);
        fuzz::require(encode_message(message).size() <= longest_frame, "what is sent fits a frame");
        const auto* lease = std::get_if<Lease>(&message);
        if (lease == nullptr) return;
        fuzz::require(lease->batch < 4 && lease->batch != 2, "what is finished is not leased");
        fuzz::require(numbers_.insert(lease->number).second, "no lease number is used twice");
    }

    Coordinator coordinator_ = coordinator();
    Milliseconds now_ = 1'000'000;
    std::set<LeaseNumber> numbers_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view input = fuzz::text_of(bytes, size);
    Shell shell;
    while (input.size() >= 3) {
        const auto whose = static_cast<unsigned char>(input[0]);
        const std::size_t length =
            static_cast<unsigned char>(input[1]) + std::size_t{256} * static_cast<unsigned char>(input[2]);
        const auto message = decode_message(input.substr(3, length));
        input.remove_prefix(std::min(input.size(), 3 + length));
        const SessionId session = 1 + whose % ranks;
        if (whose >= 0xF0) shell.pass(whose * Milliseconds{1'000});
        if (!message) {
            fuzz::require(message.error().message.size() < 400, "a complaint is short");
            shell.drop(session);  // as the shell closes such a connection
            continue;
        }
        check_message(*message);
        shell.take(session, *message);
    }
    return 0;
}
