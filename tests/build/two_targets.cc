// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Both files of two_targets_test.sh: PART is 0 in the one, 1 in the other. Prints
// what this file's code makes of a training and of filters.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "hpcnn/hpcnn.h"

namespace {

using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Dense<16>, hpcnn::Relu, hpcnn::Dense<10>>;

// A few steps, augmented: bits that depend on the target.
std::vector<float> Train() {
  const auto digits = hpcnn::MakeSyntheticDigits(200, /*seed=*/1);
  hpcnn::ThreadPool pool(1);
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer(
      pool, /*batch=*/64, hpcnn::Momentum{}, /*seed=*/1);
  hpcnn::BatchLoader loader(
      digits, hpcnn::ShuffledSampler(digits.size(), 1),
      hpcnn::AugmentPipeline<hpcnn::Shape<1, 28, 28>>(/*seed=*/1),
      {.epochs = 1, .workers = 1}, &pool);
  hpcnn::Fit(trainer, loader, digits);
  const auto parameters = trainer.parameters();
  return {parameters.begin(), parameters.end()};
}

struct Weights {
  static constexpr hpcnn::Stencil<3, 3> kTaps{
      {{1, 2, 3}, {4, 5, 6}, {7, 9, 8}}};
};

// What each kind of filter makes of an image; the same in both files.
template <class In, class Out>
void Append(std::vector<float>& results) {
  std::vector<In> image(40 * 300);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<In>(i * 37 % 251);
  }
  const hpcnn::MatrixView<const In> in(image.data(), 40, 300);
  std::vector<Out> out(image.size());
  const hpcnn::MatrixView<Out> to(out.data(), 40, 300);
  const auto append = [&] {
    results.insert(results.end(), out.begin(), out.end());
  };
  hpcnn::Correlate<Weights>(in, to);
  append();
  hpcnn::Correlate<hpcnn::Sobel3x3>(in, to);
  append();
  hpcnn::Correlate<hpcnn::Box<9>>(in, to);
  append();
  hpcnn::Correlate<hpcnn::Simd>(in, Weights::kTaps, to);
  append();
  hpcnn::GradientMagnitude<hpcnn::Sobel5x5>(in, to);
  append();
}
std::vector<float> Filter() {
  std::vector<float> results;
  Append<std::uint8_t, std::int16_t>(results);
  Append<float, float>(results);
  return results;
}

// FNV-1a, of the bits.
std::uint32_t Checksum(const std::vector<float>& values) {
  std::uint32_t sum = 2166136261u;
  for (const float value : values) {
    sum = (sum ^ std::bit_cast<std::uint32_t>(value)) * 16777619u;
  }
  return sum;
}

void Print() {
  std::printf("%s: training %08x, filters %08x\n",
              hwy::TargetName(HWY_STATIC_TARGET), Checksum(Train()),
              Checksum(Filter()));
}

}  // namespace

#if PART == 0
void Print0() { Print(); }
#else
void Print1() { Print(); }
#endif
