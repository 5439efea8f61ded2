#include "evaljob-runner/shard/shard_log.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "api/digest.hpp"
#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_json.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t whole_file = std::numeric_limits<std::uint64_t>::max();

ShardHeader header() { return {"identity", "fm-1b4e28ba", 5, 2, 1, 3, "cuda GPU-1", "libtorch 2.11.0", 4, 1'700}; }

std::vector<Record> records() {
    return {{0, "a", 0, {1, 1}, Json(3), {{"confidence", "0.5"}}, ""},
            {0, "b", 0, {1, 1}, Json(), Json::object(), "out of memory"},
            {1, "ä\n", 2, {2, 7}, Json("text"), Json::object(), ""}};
}

/// What a reader told its visitor.
struct Seen {
    std::vector<Record> records;
    std::vector<BatchEnd> batches;
    ShardVisitor visitor() {
        return {[this](Record&& r) { records.push_back(std::move(r)); },
                [this](const BatchEnd& e) { batches.push_back(e); }};
    }
};

/// A log with three records in two batches; where the frames behind its header end.
struct Log {
    std::string bytes;
    std::vector<std::size_t> frame_ends;
};

class ShardLog : public testing::Test {
protected:
    /// Written by the writer itself. The frames are then measured by reading them back.
    Log write(bool close) {
        const std::string name = close ? "closed.shard" : "open.shard";
        std::filesystem::remove(folder_ / name);
        auto writer = ShardWriter::create(folder_ / name, header());
        EXPECT_TRUE(writer);
        const auto all = records();
        EXPECT_TRUE(writer->append(all[0]) && writer->append(all[1]));
        EXPECT_TRUE(writer->append(BatchEnd{4, {1, 1}, 100, 200, 2}));
        EXPECT_TRUE(writer->commit());
        EXPECT_TRUE(writer->append(all[2]) && writer->append(BatchEnd{5, {2, 7}, 300, 400, 1}));
        EXPECT_TRUE(close ? writer->close() : writer->commit());
        Log log{folder_.read(name), {}};
        std::size_t at = shard_magic.size();
        while (const auto frame = first_frame(std::string_view(log.bytes).substr(at))) {
            at += frame->size;
            log.frame_ends.push_back(at);
        }
        EXPECT_EQ(at, log.bytes.size());
        return log;
    }

    TemporaryFolder folder_;
};

TEST_F(ShardLog, ComesBackWhole) {
    const Log log = write(true);
    Seen seen;
    const auto summary = read_shard_file(folder_ / "closed.shard", whole_file, seen.visitor());
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(summary->end, ShardEnd::Footer);
    EXPECT_EQ(summary->records, 3U);
    EXPECT_EQ(summary->batches, 2U);
    EXPECT_EQ(summary->valid_bytes, log.bytes.size());
    EXPECT_EQ(summary->total_bytes, log.bytes.size());
    EXPECT_EQ(summary->sha256, sha256_hex(log.bytes));
    EXPECT_EQ(seen.records, records());
    ASSERT_EQ(seen.batches.size(), 2U);
    EXPECT_EQ(seen.batches[1].batch, 5U);
    EXPECT_EQ(seen.batches[1].lease, (LeaseNumber{2, 7}));
    EXPECT_EQ(seen.batches[1].begin_us, 300);
    EXPECT_EQ(seen.batches[1].end_us, 400);
    EXPECT_EQ(seen.batches[1].samples, 1U);
    const ShardHeader& h = summary->header;
    EXPECT_EQ(encode_shard_header(h), encode_shard_header(header()));
    EXPECT_EQ(std::tuple(h.identity, h.run_id, h.rank, h.node_rank, h.local_rank, h.attempt, h.device, h.library,
                         h.threads, h.opened_us),
              std::tuple("identity", "fm-1b4e28ba", 5, 2, 1, 3, "cuda GPU-1", "libtorch 2.11.0", 4, 1'700));
}

TEST_F(ShardLog, HasTheBytesThatTheFormatSays) {
    const Log log = write(true);
    EXPECT_EQ(log.bytes.substr(0, 8), "EVJSHRD1");
    const std::string payload = encode_shard_header(header());
    EXPECT_EQ(static_cast<unsigned char>(log.bytes[8]) + 256 * static_cast<unsigned char>(log.bytes[9]),
              static_cast<int>(payload.size()));
    EXPECT_EQ(log.bytes[16], 'H');
    EXPECT_EQ(log.bytes.substr(17, payload.size()), payload);
    const std::size_t footer = log.bytes.size() - 9 - 84;
    EXPECT_EQ(log.bytes[footer + 8], 'F');
    EXPECT_EQ(log.bytes.substr(footer + 9), "00000000000000000003" + sha256_hex(log.bytes.substr(0, footer)));
}

TEST_F(ShardLog, WithoutFooterIsOpen) {
    const Log log = write(false);
    Seen seen;
    const auto summary = read_shard_file(folder_ / "open.shard", whole_file, seen.visitor());
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(summary->end, ShardEnd::Open);
    EXPECT_EQ(summary->valid_bytes, log.bytes.size());
    EXPECT_EQ(seen.records, records());
}

TEST_F(ShardLog, OfAWriterThatDiesHoldsWhatWasCommitted) {
    {
        auto writer = ShardWriter::create(folder_ / "a.shard", header());
        ASSERT_TRUE(writer && writer->append(records()[0]) && writer->commit() && writer->append(records()[1]));
    }
    Seen seen;
    const auto summary = read_shard_file(folder_ / "a.shard", whole_file, seen.visitor());
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->end, ShardEnd::Open);
    EXPECT_EQ(seen.records, std::vector<Record>{records()[0]});
}

// Behind the header, a crash may leave any prefix of what was being written.
TEST_F(ShardLog, TornAtAnyByteKeepsEveryFrameInFrontOfTheTear) {
    const Log log = write(true);
    const std::size_t header_end = log.frame_ends[0];
    for (std::size_t length = header_end; length < log.bytes.size(); ++length) {
        const auto ends = std::upper_bound(log.frame_ends.begin(), log.frame_ends.end(), length);
        const std::size_t whole = *(ends - 1);
        Seen seen;
        const auto summary = read_shard(std::string_view(log.bytes).substr(0, length), seen.visitor());
        ASSERT_TRUE(summary) << "torn at " << length << ": " << summary.error().message;
        EXPECT_EQ(summary->end, length == whole ? ShardEnd::Open : ShardEnd::TornTail) << "torn at " << length;
        EXPECT_EQ(summary->valid_bytes, whole) << "torn at " << length;
        EXPECT_EQ(summary->total_bytes, length);
        EXPECT_EQ(summary->sha256, sha256_hex(log.bytes.substr(0, whole)));
        const auto all = records();
        ASSERT_EQ(seen.records.size(), summary->records);
        EXPECT_TRUE(std::equal(seen.records.begin(), seen.records.end(), all.begin())) << "torn at " << length;
        const std::size_t frames = static_cast<std::size_t>(ends - log.frame_ends.begin());
        EXPECT_EQ(summary->records + summary->batches + 1, frames) << "torn at " << length;
    }
}

TEST_F(ShardLog, TornInItsHeaderIsDamaged) {
    const Log log = write(true);
    for (std::size_t length = 0; length < log.frame_ends[0]; ++length) {
        const auto summary = read_shard(std::string_view(log.bytes).substr(0, length), {});
        ASSERT_FALSE(summary) << length;
        EXPECT_EQ(summary.error().reason, "Damaged");
    }
}

TEST_F(ShardLog, TornByZerosAsAFileSystemMayLeaveThemKeepsWhatIsInFront) {
    const Log log = write(false);
    Seen seen;
    const auto summary = read_shard(log.bytes + std::string(4096, '\0'), seen.visitor());
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->end, ShardEnd::TornTail);
    EXPECT_EQ(summary->valid_bytes, log.bytes.size());
    EXPECT_EQ(seen.records, records());
}

// In the footer's own frame a flipped bit takes only the footer: the log then reads as torn, with every record.
TEST_F(ShardLog, AnyFlippedBitOfAClosedLogIsDamageOrTakesOnlyTheFooter) {
    const Log log = write(true);
    const std::size_t footer = log.frame_ends[log.frame_ends.size() - 2];
    for (std::size_t at = 0; at < log.bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = log.bytes;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            Seen seen;
            const auto summary = read_shard(flipped, seen.visitor());
            if (at < footer) {
                ASSERT_FALSE(summary) << "byte " << at << " bit " << bit;
                EXPECT_EQ(summary.error().reason, "Damaged");
                EXPECT_THAT(summary.error().message, HasSubstr("at byte "));
                continue;
            }
            ASSERT_TRUE(summary) << "byte " << at << " bit " << bit;
            EXPECT_EQ(summary->end, ShardEnd::TornTail);
            EXPECT_EQ(summary->valid_bytes, footer);
            EXPECT_EQ(seen.records, records()) << "byte " << at << " bit " << bit;
        }
    }
}

// Under the length of a done marker nothing at all may be damaged.
TEST_F(ShardLog, AnyFlippedBitInsideAPromisedLengthIsDamage) {
    const Log log = write(true);
    for (std::size_t at = 0; at < log.bytes.size(); ++at) {
        std::string flipped = log.bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
        folder_.write("flipped.shard", flipped);
        const auto summary = read_shard_file(folder_ / "flipped.shard", flipped.size(), {});
        ASSERT_FALSE(summary) << "byte " << at;
        EXPECT_THAT(summary.error().message, HasSubstr("flipped.shard: at byte "));
    }
}

TEST_F(ShardLog, BytesBehindTheFooterAreDamage) {
    const auto summary = read_shard(write(true).bytes + "x", {});
    ASSERT_FALSE(summary);
    EXPECT_THAT(summary.error().message, HasSubstr("bytes behind the footer"));
}

struct Promise {
    const char* name;
    bool closed;
    int frames;        // how many, from the front, the promised length covers
    int more;          // bytes
    const char* says;  // empty: it reads
};

class PromisedLength : public ShardLog, public testing::WithParamInterface<Promise> {};

TEST_P(PromisedLength, MustEndWithAWholeFrame) {
    const Log log = write(GetParam().closed);
    const std::string path = folder_ / (GetParam().closed ? "closed.shard" : "open.shard");
    const std::uint64_t length = log.frame_ends.at(static_cast<std::size_t>(GetParam().frames) - 1) +
                                 static_cast<std::uint64_t>(GetParam().more);
    Seen seen;
    const auto summary = read_shard_file(path, length, seen.visitor());
    if (*GetParam().says == '\0') {
        ASSERT_TRUE(summary) << summary.error().message;
        EXPECT_EQ(summary->valid_bytes, length);
        EXPECT_EQ(summary->sha256, sha256_hex(log.bytes.substr(0, length)));
    } else {
        ASSERT_FALSE(summary);
        EXPECT_EQ(summary.error().reason, "Damaged");
        EXPECT_THAT(summary.error().message, HasSubstr(path));
        EXPECT_THAT(summary.error().message, HasSubstr(GetParam().says));
    }
}

// Frames: header, record, record, batch end, record, batch end, footer.
INSTANTIATE_TEST_SUITE_P(Table, PromisedLength,
                         testing::Values(Promise{"OfAnOpenLog", false, 6, 0, ""}, Promise{"OfAPrefix", false, 4, 0, ""},
                                         Promise{"OfAPrefixOfAClosedLog", true, 6, 0, ""},
                                         Promise{"OfTheHeaderAlone", false, 1, 0, ""},
                                         Promise{"OfAClosedLog", true, 7, 0, ""},
                                         Promise{"InsideAFrame", false, 4, 3, "a damaged frame inside"},
                                         Promise{"OneByteShortOfAFrame", false, 4, -1, "a damaged frame inside"},
                                         Promise{"BeyondTheEnd", false, 6, 1, "were promised"}),
                         [](const auto& row) { return row.param.name; });

TEST_F(ShardLog, OfNoBytesUnderAPromiseOfNoneIsDamaged) {
    folder_.write("empty.shard", "");
    EXPECT_FALSE(read_shard_file(folder_ / "empty.shard", 0, {}));
    EXPECT_FALSE(read_shard_file(folder_ / "empty.shard", whole_file, {}));
}

TEST_F(ShardLog, IsNeverWrittenByASecondWriter) {
    const Log log = write(true);
    const auto second = ShardWriter::create(folder_ / "closed.shard", header());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().reason, "AlreadyExists");
    EXPECT_THAT(second.error().message, HasSubstr("closed.shard"));
    EXPECT_EQ(folder_.read("closed.shard"), log.bytes);
}

TEST_F(ShardLog, InAFolderThatDoesNotExistFailsToWrite) {
    const auto writer = ShardWriter::create(folder_ / "missing/a.shard", header());
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().reason, "WriteFailed");
    EXPECT_THAT(writer.error().message, HasSubstr("missing/a.shard"));
    EXPECT_EQ(read_shard_file(folder_ / "missing.shard", whole_file, {}).error().message.find(folder_.path()), 0U);
}

TEST_F(ShardLog, OfManyRecordsIsWrittenInPartsAndReadWhole) {
    auto writer = ShardWriter::create(folder_ / "large.shard", header());
    ASSERT_TRUE(writer);
    Record record = records()[0];
    record.detail = {{"text", std::string(1'000, 'x')}};
    for (int i = 0; i < 3'000; ++i) {
        record.id = std::to_string(i);
        ASSERT_TRUE(writer->append(record));
    }
    ASSERT_TRUE(writer->close());
    const auto summary = read_shard_file(folder_ / "large.shard", whole_file, {});
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(summary->end, ShardEnd::Footer);
    EXPECT_EQ(summary->records, 3'000U);
}

struct Forged {
    const char* name;
    FrameType type;
    std::string payload;
    const char* says;
};

class GoodChecksum : public ShardLog, public testing::WithParamInterface<Forged> {};

TEST_P(GoodChecksum, OfWrongContentIsDamage) {
    std::string bytes = write(false).bytes;
    append_frame(bytes, GetParam().type, GetParam().payload);
    const auto summary = read_shard(bytes, {});
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().reason, "Damaged");
    EXPECT_THAT(summary.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodChecksum,
    testing::Values(Forged{"NoRecord", FrameType::Record, "hello", "a record"},
                    Forged{"EmptyRecord", FrameType::Record, "", "a record"},
                    Forged{"NoBatchEnd", FrameType::BatchEnd, "{}", "the end of a batch"},
                    Forged{"ShortBatchEnd", FrameType::BatchEnd, "[1,2]", "the end of a batch"},
                    Forged{"LongBatchEnd", FrameType::BatchEnd, "[1,1,1,1,1,1,2,2]", "the end of a batch"},
                    Forged{"BatchEndOfOnePart", FrameType::BatchEnd, "[1,1,1,1,1,1,1]", "less than 2 parts"},
                    Forged{"SecondHeader", FrameType::Header, encode_shard_header(header()), "a second header"},
                    Forged{"ShortFooter", FrameType::Footer, "1", "not of a footer's length"},
                    Forged{"FooterWithoutCount", FrameType::Footer, std::string(84, 'x'), "count does not read"},
                    Forged{"FooterOfAnotherCount", FrameType::Footer, encode_footer({2, std::string(64, 'a')}),
                           "count or digest"},
                    Forged{"FooterOfAnotherDigest", FrameType::Footer, encode_footer({3, std::string(64, 'a')}),
                           "count or digest"}),
    [](const auto& row) { return row.param.name; });

TEST(BatchEndFrame, SaysInHowManyPartsABatchWasEvaluatedWhereThatIsNotOne) {
    EXPECT_EQ(encode_batch_end({4, {1, 1}, 100, 200, 2}), "[4,1,1,100,200,2]");
    EXPECT_EQ(encode_batch_end({4, {1, 1}, 100, 200, 2, 3}), "[4,1,1,100,200,2,3]");
    const auto whole = decode_batch_end("[4,1,1,100,200,2]");
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->parts, 1U);
    const auto split = decode_batch_end("[4,1,1,100,200,2,3]");
    ASSERT_TRUE(split) << split.error().message;
    EXPECT_EQ(split->parts, 3U);
}

TEST_F(ShardLog, WhoseFirstFrameIsNoHeaderIsDamaged) {
    std::string bytes(shard_magic);
    append_frame(bytes, FrameType::Record, encode_record(records()[0]));
    EXPECT_FALSE(read_shard(bytes, {}));
    std::string no_header(shard_magic);
    append_frame(no_header, FrameType::Header, R"({"identity":1})");
    EXPECT_FALSE(read_shard(no_header, {}));
}

TEST(Frame, OfAnAbsurdLengthIsNone) {
    std::string bytes = "\xff\xff\xff\xff";
    EXPECT_FALSE(first_frame(bytes + std::string(100, 'x')));
    std::string empty;
    append_frame(empty, FrameType::Record, "");
    ASSERT_TRUE(first_frame(empty));
    EXPECT_EQ(first_frame(empty)->size, frame_overhead);
    std::string unknown;
    append_frame(unknown, static_cast<FrameType>('X'), "payload");
    EXPECT_FALSE(first_frame(unknown));
}

}  // namespace
}  // namespace evaljob::test
