#include "evaljob-runner/merge/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "evaljob-runner/merge/grading.hpp"
#include "evaljob-runner/merge/labels.hpp"

namespace evaljob {

namespace {

/// Class numbers beyond this are taken for no class: nobody reads such a matrix, and hostile ones must not fill memory.
constexpr std::int64_t max_class = 100'000;

std::int64_t class_number(std::string_view text) {
    std::int64_t number = 0;
    auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    bool whole = end.ec == std::errc() && end.ptr == text.data() + text.size();
    return whole && number >= 0 && number <= max_class ? number : column_no_class;
}

double number_or_zero(const std::string& text) {
    double value = 0;
    auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    return end.ec == std::errc() ? value : 0;
}

/// The detail that every engine of ours writes, {"confidence":"0.987654"}: its number, else nothing. Parsing the JSON
/// of millions of details would take most of a merge's time.
std::string_view usual_confidence(std::string_view detail) {
    constexpr std::string_view head = "{\"confidence\":\"";
    constexpr std::string_view tail = "\"}";
    if (detail.size() < head.size() + tail.size() + 3 || !detail.starts_with(head) || !detail.ends_with(tail))
        return {};
    std::string_view number = detail.substr(head.size(), detail.size() - head.size() - tail.size());
    auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    bool usual = is_digit(number[0]) && number[1] == '.' && std::all_of(number.begin() + 2, number.end(), is_digit);
    return usual ? number : std::string_view();
}

bool worse(const WrongAnswer& a, const WrongAnswer& b) {
    if (a.points != b.points) return a.points < b.points;
    return a.confidence != b.confidence ? a.confidence > b.confidence : a.item < b.item;
}

/// What is gathered of one dataset in one pass over the items.
class Tally {
public:
    Tally(std::uint32_t dataset, Grading grading, std::size_t classes, std::size_t worst_limit)
        : dataset_(dataset), grading_(std::move(grading)), worst_limit_(worst_limit), all_(grading_.metrics().size()) {
        for (std::size_t c = 0; c < classes; ++c) classes_.insert(static_cast<std::int64_t>(c));
    }

    void add(const ManifestSample& sample, std::uint64_t item, const Outcome& outcome) {
        if (outcome.state == ItemState::Missing) return;
        const std::vector<Points> points = grading_.grade(sample.target, outcome, item);
        count(all_, points);
        const std::int64_t target = grading_.is_classification() ? class_number(sample.target.dump()) : std::int64_t{0};
        if (!sample.group.empty()) count_group(sample.group, target, points);
        bool failed = outcome.state == ItemState::Failed;
        if (grading_.is_classification())
            ++confusion_[{target, failed ? column_failed : class_number(outcome.prediction)}];
        const bool is_wrong = points.front() < full_points || grading_.scale(0) == Scale::Any;
        if (is_wrong && !failed) remember({item, number_or_zero(confidence_of(outcome)), points.front()});
    }

    DatasetScores result() {
        DatasetScores scores;
        scores.dataset = dataset_;
        for (std::size_t i = 0; i < all_.size(); ++i) scores.metrics.push_back(metric(i));
        scores.has_confusion = grading_.is_classification();
        if (scores.has_confusion) scores.confusion = confusion();
        std::sort(worst_.begin(), worst_.end(), worse);
        if (worst_.size() > worst_limit_) worst_.resize(worst_limit_);
        scores.worst = std::move(worst_);
        return scores;
    }

private:
    using Means = std::vector<Mean>;  // by metric
    struct Group {
        std::int64_t target = std::numeric_limits<std::int64_t>::max();
        Means means;
    };

    static void count(Means& means, const std::vector<Points>& points) {
        means.resize(points.size());
        for (std::size_t i = 0; i < points.size(); ++i) means[i].add(points[i]);
    }

    void count_group(const std::string& name, std::int64_t target, const std::vector<Points>& points) {
        Group& group = groups_[name];
        group.target = std::min(group.target, target);
        count(group.means, points);
    }

    Score score_of(std::size_t metric, const std::string& group, const Mean& mean) const {
        Score score;
        score.dataset = dataset_;
        score.name = grading_.metrics()[metric];
        score.group = group;
        if (grading_.scale(metric) == Scale::Share) {
            score.share = mean.share();
        } else {
            score.mean = mean;
            score.is_part = grading_.scale(metric) == Scale::Part;
        }
        return score;
    }

    MetricScores metric(std::size_t i) const {
        MetricScores scores{score_of(i, "", all_[i]), {}};
        for (const auto& [group, tally] : groups_) scores.groups.push_back(score_of(i, group, tally.means[i]));
        std::stable_sort(scores.groups.begin(), scores.groups.end(), [&](const Score& a, const Score& b) {
            return groups_.at(a.group).target < groups_.at(b.group).target;
        });
        return scores;
    }

    void remember(WrongAnswer wrong) {
        worst_.push_back(wrong);
        if (worst_.size() < 4 * worst_limit_ + 64) return;
        std::nth_element(worst_.begin(), worst_.begin() + static_cast<std::ptrdiff_t>(worst_limit_), worst_.end(),
                         worse);
        worst_.resize(worst_limit_);
    }

    Confusion confusion() {
        std::set<std::int64_t> targets = classes_;
        std::set<std::int64_t> columns = classes_;
        for (const auto& [cell, n] : confusion_) {
            targets.insert(cell.first);
            columns.insert({cell.first, cell.second});
        }
        bool no_class = columns.erase(column_no_class) > 0;
        bool failed = columns.erase(column_failed) > 0;
        Confusion c{{targets.begin(), targets.end()}, {columns.begin(), columns.end()}, std::move(confusion_)};
        if (no_class) c.columns.push_back(column_no_class);
        if (failed) c.columns.push_back(column_failed);
        return c;
    }

    std::uint32_t dataset_;
    Grading grading_;
    std::size_t worst_limit_;
    std::set<std::int64_t> classes_;
    Means all_;
    std::map<std::string, Group> groups_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> confusion_;
    std::vector<WrongAnswer> worst_;
};

}  // namespace

std::optional<double> Score::standard_error() const {
    if (!mean) return share.standard_error();
    return mean->n() < 2 ? std::nullopt : std::optional(mean->standard_error());
}

std::optional<Interval> Score::interval() const {
    if (!mean) return wilson(share);
    auto interval = student(*mean);
    if (interval && is_part) interval = Interval{std::max(0.0, interval->low), std::min(1.0, interval->high)};
    return interval;
}

std::uint64_t Confusion::at(std::int64_t target, std::int64_t column) const {
    auto found = counts.find({target, column});
    return found == counts.end() ? 0 : found->second;
}

std::string confidence_of(const Outcome& outcome) {
    if (std::string_view usual = usual_confidence(outcome.detail); !usual.empty()) return std::string(usual);
    if (outcome.detail.find("\"confidence\"") == std::string_view::npos) return "";
    Json detail = Json::parse(outcome.detail, nullptr, false);
    if (!detail.is_object()) return "";
    auto found = detail.find("confidence");
    if (found == detail.end()) return "";
    std::string text = found->is_string() ? found->get<std::string>() : found->dump();
    // Only what is a JSON number goes on: results.jsonl prints it as one. (The parser alone would let white space
    // pass.)
    if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return "";
    return Json::parse(text, nullptr, false).is_number() ? text : "";
}

std::vector<DatasetScores> score(const Manifest& manifest, const Proof& proof, std::size_t worst_limit,
                                 const ScorerResults& scored) {
    std::map<std::uint32_t, Tally> tallies;
    for (std::uint64_t item = 0; item < proof.items; ++item) {
        const ManifestSample& sample = manifest.samples[item / manifest.repeats];
        auto tally = tallies.find(sample.dataset);
        if (tally == tallies.end())
            tally = tallies
                        .emplace(sample.dataset, Tally(sample.dataset, Grading(manifest, sample.dataset, scored),
                                                       class_names(manifest, sample.dataset).size(), worst_limit))
                        .first;
        tally->second.add(sample, item, proof.outcome(item));
    }
    std::vector<DatasetScores> scores;
    for (auto& [dataset, tally] : tallies) scores.push_back(tally.result());
    return scores;
}

}  // namespace evaljob
