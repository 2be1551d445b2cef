// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench/peers:augment_opencv
//
// AugmentPipeline against OpenCV's C++ library (Debian: libopencv-core-dev,
// libopencv-imgproc-dev), without Python in between: one warpAffine, noise,
// clamp and conversion per image, everything preallocated, one thread each. The
// same images and drawn parameters, compared before anything is timed. Most
// people run the build that pip installs: that is augment.py's.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "bench/roofline.h"
#include "hpcnn/hpcnn.h"
#include "opencv2/core.hpp"
#include "opencv2/imgproc.hpp"

namespace hpcnn::bench {
namespace {

using Pipeline = AugmentPipeline<Shape<1, 28, 28>>;
constexpr std::uint32_t kImages = 256;
constexpr std::size_t kPixels = 784;
constexpr int kRounds = 101;
constexpr float kNoise = 0.05f;

class Bench {
 public:
  Bench() : digits_(MakeSyntheticDigits(kImages, 1)) {
    const Pipeline pipeline(1);
    for (std::uint32_t i = 0; i < kImages; ++i) {
      const AffineMap m = Pipeline::Map(pipeline.Parameters(0, i));
      maps_.push_back(
          (cv::Mat_<double>(2, 3) << m.xx, m.xy, m.x0, m.yx, m.yy, m.y0));
      const std::uint8_t* bytes = digits_.image(i).data();
      // OpenCV does not write to it, but has no view of constants.
      images_.emplace_back(28, 28, CV_8U, const_cast<std::uint8_t*>(bytes));
    }
  }

  void Hpcnn(float noise) {
    const Pipeline pipeline(1, {.noise = noise});
    for (std::uint32_t i = 0; i < kImages; ++i) {
      pipeline(0, i, digits_.image(i),
               TensorView<float, 1, 28, 28>(&ours_[i * kPixels]));
    }
  }

  // Bytes until the end: their addition saturates, so nothing clamps apart.
  void OpenCv(float noise) {
    const int level = static_cast<int>(std::lround(255 * noise));
    for (std::uint32_t i = 0; i < kImages; ++i) {
      cv::warpAffine(images_[i], warped_, maps_[i], {28, 28},
                     cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
      if (level > 0) {
        cv::randu(noise_, -level, level + 1);
        cv::add(warped_, noise_, warped_, cv::noArray(), CV_8U);
      }
      cv::Mat out(28, 28, CV_32F, &theirs_[i * kPixels]);
      warped_.convertTo(out, CV_32F, 1.0 / 255);
    }
  }

  double LargestDifference() {
    Hpcnn(0);
    OpenCv(0);
    double largest = 0;
    for (std::size_t i = 0; i < ours_.size(); ++i) {
      largest = std::max(largest, double{std::abs(ours_[i] - theirs_[i])});
    }
    return largest;
  }

 private:
  SyntheticDigits digits_;
  std::vector<cv::Mat> maps_, images_;
  cv::Mat warped_ = cv::Mat(28, 28, CV_8U);
  cv::Mat noise_ = cv::Mat(28, 28, CV_16S);
  std::vector<float> ours_ = std::vector<float>(kImages * kPixels);
  std::vector<float> theirs_ = std::vector<float>(kImages * kPixels);
};

int Main() {
  cv::setNumThreads(1);
  Bench bench;
  const double difference = bench.LargestDifference();
  std::printf(
      "OpenCV %s (C++), hpcnn on %s, 1 thread each\n"
      "largest difference without noise: %.4f\n",
      CV_VERSION, hwy::TargetName(HWY_STATIC_TARGET), difference);
  // Positions rounded to 1/32 pixel on both axes, and levels.
  if (difference > 0.05) {
    std::fprintf(stderr, "these are not the same images\n");
    return 1;
  }
  std::vector<double> ours, theirs, ratio;
  for (int round = 0; round < kRounds; ++round) {
    constexpr int kRepeats = 8;
    ours.push_back(Seconds([&] {
                     for (int i = 0; i < kRepeats; ++i) bench.Hpcnn(kNoise);
                   }) /
                   kRepeats);
    theirs.push_back(Seconds([&] { bench.OpenCv(kNoise); }));
    ratio.push_back(theirs.back() / ours.back());
  }
  const auto print = [](const char* name, const std::vector<double>& seconds) {
    const Spread s = SpreadOf(seconds);
    std::printf("  %-30s %8.1f ns/image  [%.1f ... %.1f]\n", name,
                1e9 * s.median / kImages, 1e9 * s.low / kImages,
                1e9 * s.high / kImages);
  };
  print("hpcnn", ours);
  print("OpenCV warpAffine + noise", theirs);
  const Spread s = SpreadOf(ratio);
  std::printf("  hpcnn is %.1fx as fast  [%.1f ... %.1f]\n", s.median, s.low,
              s.high);
  return 0;
}

}  // namespace
}  // namespace hpcnn::bench

int main() { return hpcnn::bench::Main(); }
