#include "evaljob-runner/engine/choose_token.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace evaljob {

namespace {

/// Of a distribution that is given by weights: the token in whose share of the whole the random number falls.
Token draw(const std::vector<double>& weights, double top_p, double random) {
    std::vector<Token> order(weights.size());
    std::iota(order.begin(), order.end(), Token{0});
    const auto weight = [&](Token token) { return weights[static_cast<std::size_t>(token)]; };
    std::sort(order.begin(), order.end(),
              [&](Token a, Token b) { return weight(a) != weight(b) ? weight(a) > weight(b) : a < b; });
    double whole = 0;
    for (const Token token : order) whole += weight(token);
    double kept = 0;
    std::size_t count = 0;
    while (count < order.size() && (count == 0 || kept < top_p * whole)) kept += weight(order[count++]);
    double below = 0;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        below += weight(order[i]);
        if (random * kept < below) return order[i];
    }
    return order[count - 1];
}

}  // namespace

double random_at(std::uint32_t seed, std::uint32_t place) {
    std::uint64_t state = ((std::uint64_t{seed} << 32U) | place) + 0x9E3779B97F4A7C15U;
    state = (state ^ (state >> 30U)) * 0xBF58476D1CE4E5B9U;
    state = (state ^ (state >> 27U)) * 0x94D049BB133111EBU;
    state ^= state >> 31U;
    return static_cast<double>(state >> 11U) * 0x1p-53;
}

std::optional<Choice> choose_token(const float* scores, std::int64_t count, const Sampling& sampling, double random) {
    const float* end = scores + count;
    if (count < 1 || std::any_of(scores, end, [](float score) { return std::isnan(score); })) return std::nullopt;
    const float* best = std::max_element(scores, end);
    if (!std::isfinite(*best)) return std::nullopt;
    double sum = 0;
    for (const float* score = scores; score != end; ++score) sum += std::exp(static_cast<double>(*score) - *best);
    Token token = best - scores;
    if (sampling.temperature > 0) {
        std::vector<double> weights;
        weights.reserve(static_cast<std::size_t>(count));
        for (const float* score = scores; score != end; ++score)
            weights.push_back(std::exp((static_cast<double>(*score) - *best) / sampling.temperature));
        token = draw(weights, sampling.top_p, random);
    }
    return Choice{token, static_cast<double>(scores[token]) - *best - std::log(sum)};
}

}  // namespace evaljob
