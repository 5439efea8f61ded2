#include "evaljob-runner/merge/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
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

Points rounded(double share) { return static_cast<Points>(std::llround(share * static_cast<double>(full_points))); }

/// What the repeats of one sample scored.
struct Repeats {
    std::vector<Points> sums;  // by metric
    std::uint64_t n = 0;
    std::uint64_t right = 0;  // by the first metric

    void add(const std::vector<Points>& points) {
        sums.resize(points.size());
        for (std::size_t i = 0; i < points.size(); ++i) sums[i] += points[i];
        ++n;
        right += points.front() == full_points ? 1 : 0;
    }
};

/// Of all samples, or of a group.
struct Sums {
    std::vector<Mean> items;    // by metric
    std::vector<Mean> samples;  // by metric: of each sample's mean
    std::vector<Mean> passes;   // by k of pass@k

    Sums(std::size_t metrics, std::size_t ks) : items(metrics), samples(metrics), passes(ks) {}

    void add(const std::vector<Points>& points) {
        for (std::size_t i = 0; i < points.size(); ++i) items[i].add(points[i]);
    }
    void add(const Repeats& repeats, const std::vector<std::uint32_t>& ks) {
        for (std::size_t i = 0; i < repeats.sums.size(); ++i)
            samples[i].add(repeats.sums[i] / static_cast<Points>(repeats.n));
        for (std::size_t i = 0; i < ks.size(); ++i)
            if (ks[i] <= repeats.n) passes[i].add(rounded(pass_at(repeats.n, repeats.right, ks[i])));
    }
};

/// What is gathered of one dataset in one pass over the items.
class Tally {
public:
    Tally(const Manifest& manifest, std::uint32_t dataset, Grading grading, std::size_t worst_limit)
        : dataset_(dataset),
          repeats_(manifest.repeats),
          pass_at_(task_pass_at(manifest, dataset)),
          grading_(std::move(grading)),
          worst_limit_(worst_limit),
          all_(grading_.metrics().size(), pass_at_.size()) {
        const std::size_t classes = class_names(manifest, dataset).size();
        for (std::size_t c = 0; c < classes; ++c) classes_.insert(static_cast<std::int64_t>(c));
    }

    /// In the items' order.
    void add(const ManifestSample& sample, std::uint64_t item, const Outcome& outcome) {
        if (outcome.state != ItemState::Missing) count(sample, item, outcome);
        const bool is_last_repeat = (item + 1) % repeats_ == 0;
        if (!is_last_repeat || current_.n == 0) return;
        all_.add(current_, pass_at_);
        if (!sample.group.empty()) groups_.at(sample.group).sums.add(current_, pass_at_);
        current_ = {};
    }
    DatasetScores result() {
        DatasetScores scores;
        scores.dataset = dataset_;
        for (std::size_t i = 0; i < all_.items.size(); ++i)
            scores.metrics.push_back(
                each_group([&](const Sums& sums, const std::string& group) { return score_of(i, group, sums); }));
        for (std::size_t i = 0; i < all_.passes.size(); ++i)
            scores.metrics.push_back(
                each_group([&](const Sums& sums, const std::string& group) { return pass_score(i, group, sums); }));
        scores.has_confusion = grading_.is_classification();
        if (scores.has_confusion) scores.confusion = confusion();
        std::sort(worst_.begin(), worst_.end(), worse);
        if (worst_.size() > worst_limit_) worst_.resize(worst_limit_);
        scores.worst = std::move(worst_);
        return scores;
    }

private:
    struct Group {
        std::int64_t target = std::numeric_limits<std::int64_t>::max();
        Sums sums;
    };

    void count(const ManifestSample& sample, std::uint64_t item, const Outcome& outcome) {
        const std::vector<Points> points = grading_.grade(sample.target, outcome, item);
        const std::int64_t target = grading_.is_classification() ? class_number(sample.target.dump()) : std::int64_t{0};
        all_.add(points);
        if (!sample.group.empty()) count_group(sample.group, target, points);
        if (repeats_ > 1 || !pass_at_.empty()) current_.add(points);
        const bool failed = outcome.state == ItemState::Failed;
        if (grading_.is_classification())
            ++confusion_[{target, failed ? column_failed : class_number(outcome.prediction)}];
        const bool is_wrong = points.front() < full_points || grading_.scale(0) == Scale::Any;
        if (is_wrong && !failed) remember({item, number_or_zero(confidence_of(outcome)), points.front()});
    }

    void count_group(const std::string& name, std::int64_t target, const std::vector<Points>& points) {
        Group& group =
            groups_.try_emplace(name, Group{.sums = Sums(all_.items.size(), all_.passes.size())}).first->second;
        group.target = std::min(group.target, target);
        group.sums.add(points);
    }

    Score score_of(std::size_t metric, const std::string& group, const Sums& sums) const {
        Score score{.dataset = dataset_, .name = grading_.metrics()[metric], .group = group};
        if (grading_.scale(metric) == Scale::Share) {
            score.share = sums.items[metric].share();
        } else {
            score.mean = sums.items[metric];
            score.is_part = grading_.scale(metric) == Scale::Part;
            // By all samples: a group of a judge's marks may be all ones, of which 1 need not be the best.
            score.is_share = all_.items[metric].is_share();
            if (score.is_share) score.share = sums.items[metric].share();
        }
        if (repeats_ > 1) score.by_sample = sums.samples[metric];
        return score;
    }

    Score pass_score(std::size_t k, const std::string& group, const Sums& sums) const {
        return {.dataset = dataset_,
                .name = "pass@" + std::to_string(pass_at_[k]),
                .group = group,
                .mean = sums.passes[k],
                .is_part = true,
                .is_chance = true};
    }

    template <class Of>
    MetricScores each_group(const Of& score) const {
        MetricScores scores{score(all_, std::string()), {}};
        for (const auto& [name, group] : groups_) scores.groups.push_back(score(group.sums, name));
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
    std::uint32_t repeats_;
    std::vector<std::uint32_t> pass_at_;
    Grading grading_;
    std::size_t worst_limit_;
    std::set<std::int64_t> classes_;
    Sums all_;
    Repeats current_;  // of the sample that is being added; empty where nobody asks for samples
    std::map<std::string, Group> groups_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> confusion_;
    std::vector<WrongAnswer> worst_;
};

}  // namespace

/// How many independent trials it is worth: as many as give the standard error that the samples show.
double Score::independent_trials() const {
    if (!by_sample && !is_chance) return static_cast<double>(share.n);
    const Mean& of_samples = is_chance ? *mean : *by_sample;
    const double error = of_samples.standard_error();
    const double spread = value() * (1 - value());
    if (error <= 0 || spread <= 0) return static_cast<double>(of_samples.n());
    const double trials = spread / (error * error);
    return is_chance ? trials : std::min(trials, static_cast<double>(share.n));
}

std::optional<double> Score::standard_error() const {
    if (by_sample) return by_sample->n() < 2 ? std::nullopt : std::optional(by_sample->standard_error());
    if (!mean || is_share) return share.standard_error();
    return mean->n() < 2 ? std::nullopt : std::optional(mean->standard_error());
}

std::optional<Interval> Score::interval() const {
    if (has_wilson_interval()) return wilson(value(), independent_trials());
    auto interval = student(by_sample ? *by_sample : *mean);
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
                        .emplace(sample.dataset, Tally(manifest, sample.dataset,
                                                       Grading(manifest, sample.dataset, scored), worst_limit))
                        .first;
        tally->second.add(sample, item, proof.outcome(item));
    }
    std::vector<DatasetScores> scores;
    for (auto& [dataset, tally] : tallies) scores.push_back(tally.result());
    return scores;
}

}  // namespace evaljob
