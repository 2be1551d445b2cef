// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Both files of two_targets_test.sh: PART is 0 in the one, 1 in the other.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hpcnn/hpcnn.h"

namespace {

using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Dense<16>, hpcnn::Relu, hpcnn::Dense<10>>;

// A few steps, augmented; the same in both files up to rounding.
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

}  // namespace

#if PART == 0
std::vector<float> TrainThere();
std::vector<float> FilterThere();
long TargetThere();

int main() {
  std::printf("targets %s and %s\n", hwy::TargetName(HWY_STATIC_TARGET),
              hwy::TargetName(TargetThere()));
  if (TargetThere() == HWY_STATIC_TARGET) {
    std::puts("one target for two sets of flags: their symbols collide");
    return 1;
  }
  const std::vector<float> here = Train();
  const std::vector<float> there = TrainThere();
  if (here.size() != Net::kParameterCount || here.size() != there.size()) {
    std::puts("wrong number of parameters");
    return 1;
  }
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (!(std::abs(here[i] - there[i]) <= 1e-4f)) {
      std::printf("parameter %zu: %g and %g\n", i, here[i], there[i]);
      return 1;
    }
  }
  // Whole numbers: floats hold their sums exactly.
  if (Filter() != FilterThere()) {
    std::puts("the filters differ");
    return 1;
  }
}
#else
std::vector<float> TrainThere() { return Train(); }
std::vector<float> FilterThere() { return Filter(); }
long TargetThere() { return HWY_STATIC_TARGET; }
#endif
