// How many tokens a sample has, before any model has seen it: for batches that are planned by tokens. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

inline constexpr std::uint64_t tokens_of_an_image = 1024;  // how many it becomes is the model's affair

/// What the member `tokens_by` of the sample's input says; when that is empty, an estimate: one for each byte of its
/// texts, as no tokenizer has tokens of less than one, and tokens_of_an_image for an image, or several. Fails with
/// BadInput when the member is missing or no integer; the message is for a reader who knows the sample.
Result<std::uint64_t> tokens_of(const Sample& sample, const std::string& tokens_by);

}  // namespace evaljob
