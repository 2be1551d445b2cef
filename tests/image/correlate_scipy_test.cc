// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Correlate against SciPy: every border, odd, even and oblong kernels, images
// that are smaller than the kernel. fixtures.h has SciPy's results.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/sobel.h"
#include "tests/image/fixtures.h"

namespace hpcnn {
namespace {

int Level(std::size_t r, std::size_t c) {
  return static_cast<int>((37 * r + 101 * c + 7 * r * c) % 256);
}

// The fixture's image, with elements of T.
template <class T>
std::vector<T> Pixels(const CorrelateFixture& fixture) {
  std::vector<T> pixels;
  for (std::size_t r = 0; r < fixture.rows; ++r) {
    for (std::size_t c = 0; c < fixture.cols; ++c) {
      const int level = Level(r, c);
      pixels.push_back(static_cast<T>(
          fixture.image == ImageFixture::kBytes ? level : 129 * level - 16384));
    }
  }
  return pixels;
}

// Calls f with the border's tag.
template <class F>
void WithBorder(BorderFixture border, F&& f) {
  switch (border) {
    case BorderFixture::kZero:
      return f(ZeroBorder());
    case BorderFixture::kReplicate:
      return f(ReplicateBorder());
    case BorderFixture::kReflect:
      return f(ReflectBorder());
    case BorderFixture::kWrap:
      return f(WrapBorder());
  }
}

std::string Describe(const CorrelateFixture& fixture) {
  constexpr const char* kBorders[] = {"zero", "replicate", "reflect", "wrap"};
  return std::string(kKernelFixtures[fixture.kernel].name) + ", " +
         kBorders[static_cast<std::size_t>(fixture.border)] + ", " +
         (fixture.image == ImageFixture::kBytes ? "bytes " : "shorts ") +
         std::to_string(fixture.rows) + "x" + std::to_string(fixture.cols);
}

std::uint64_t Hash(const std::vector<std::int32_t>& values) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::int32_t value : values) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash ^= static_cast<std::uint32_t>(value) >> shift & 255;
      hash *= 0x100000001b3;
    }
  }
  return hash;
}

// The fixture's image as In through `correlate`(image, border, out) to Out.
template <class In, class Out, class F>
std::vector<Out> Run(const CorrelateFixture& fixture, F&& correlate) {
  const std::vector<In> image = Pixels<In>(fixture);
  std::vector<Out> out(image.size(), Out{77});
  WithBorder(fixture.border, [&](auto border) {
    correlate(MatrixView<const In>(image.data(), fixture.rows, fixture.cols),
              border, MatrixView<Out>(out.data(), fixture.rows, fixture.cols));
  });
  return out;
}

// Bit for bit what SciPy has; where that is listed, narrow results are the
// nearest that their type holds.
template <class In, class F>
void ExpectScipys(const CorrelateFixture& fixture, F&& correlate) {
  SCOPED_TRACE(Describe(fixture));
  const auto out = Run<In, std::int32_t>(fixture, correlate);
  if (fixture.first >= 0) {
    const std::int32_t* expected = kListedResults + fixture.first;
    EXPECT_EQ(out, std::vector<std::int32_t>(expected, expected + out.size()));
  }
  EXPECT_EQ(Hash(out), fixture.hash);
}

template <class In, class Out, class F>
void ExpectSaturated(const CorrelateFixture& fixture, F&& correlate) {
  SCOPED_TRACE(Describe(fixture));
  using Limits = std::numeric_limits<Out>;
  const auto out = Run<In, Out>(fixture, correlate);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t exact =
        kListedResults[static_cast<std::size_t>(fixture.first) + i];
    EXPECT_EQ(out[i],
              std::clamp<std::int32_t>(exact, Limits::min(), Limits::max()))
        << i;
  }
}

template <class P>
class CorrelateScipyTest : public ::testing::Test {};
using CpuPolicies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(CorrelateScipyTest, CpuPolicies);

// Correlate with the fixture's taps, of a shape known at run time.
template <class P>
auto ByRunTimeTaps(const CorrelateFixture& fixture) {
  const KernelFixture& kernel = kKernelFixtures[fixture.kernel];
  return [&kernel](auto image, auto border, auto out) {
    Correlate<P, decltype(border)>(
        image, MatrixView<const int>(kernel.taps, kernel.rows, kernel.cols),
        out);
  };
}

TYPED_TEST(CorrelateScipyTest, IntegersAreScipys) {
  for (const CorrelateFixture& fixture : kCorrelateFixtures) {
    const auto correlate = ByRunTimeTaps<TypeParam>(fixture);
    if (fixture.image == ImageFixture::kBytes) {
      ExpectScipys<std::uint8_t>(fixture, correlate);
    }
    ExpectScipys<std::int16_t>(fixture, correlate);
  }
}

TYPED_TEST(CorrelateScipyTest, NarrowResultsSaturate) {
  for (const CorrelateFixture& fixture : kCorrelateFixtures) {
    if (fixture.first < 0) continue;
    const auto correlate = ByRunTimeTaps<TypeParam>(fixture);
    if (fixture.image == ImageFixture::kBytes) {
      ExpectSaturated<std::uint8_t, std::uint8_t>(fixture, correlate);
      ExpectSaturated<std::uint8_t, std::int16_t>(fixture, correlate);
    }
    ExpectSaturated<std::int16_t, std::uint8_t>(fixture, correlate);
    ExpectSaturated<std::int16_t, std::int16_t>(fixture, correlate);
  }
}

// Sums of bytes are below 2^24 here: floats hold them all, in any order.
TYPED_TEST(CorrelateScipyTest, FloatsOfWholeNumbersAreScipys) {
  for (const CorrelateFixture& fixture : kCorrelateFixtures) {
    if (fixture.image != ImageFixture::kBytes) continue;
    SCOPED_TRACE(Describe(fixture));
    const auto correlate = ByRunTimeTaps<TypeParam>(fixture);
    for (const auto& out : {Run<float, float>(fixture, correlate),
                            Run<std::uint8_t, float>(fixture, correlate)}) {
      EXPECT_EQ(Hash(std::vector<std::int32_t>(out.begin(), out.end())),
                fixture.hash);
    }
  }
}

TYPED_TEST(CorrelateScipyTest, FloatsAreNearScipys) {
  constexpr std::size_t kRows = 9, kCols = 13;
  std::vector<float> image;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kCols; ++c) {
      image.push_back(static_cast<float>(Level(r, c)) / 255);
    }
  }
  // Nothing is negative and no sum is above 1: the products round by at most
  // 2^-24 together, and so does each of the 24 sums.
  constexpr double kTolerance = 25.0 / (1 << 24);
  for (const GaussianFixture& fixture : kGaussianFixtures) {
    std::vector<float> out(image.size(),
                           std::numeric_limits<float>::quiet_NaN());
    WithBorder(fixture.border, [&](auto border) {
      Correlate<TypeParam, decltype(border)>(
          MatrixView<const float>(image.data(), kRows, kCols),
          MatrixView<const float>(kGaussianTaps, 5, 5),
          MatrixView<float>(out.data(), kRows, kCols));
    });
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_NEAR(out[i], fixture.out[i], kTolerance)
          << "border " << static_cast<int>(fixture.border) << ", row "
          << i / kCols << ", column " << i % kCols;
    }
  }
}

// The named kernels, from their types, are the fixtures' ones.
template <class Kernel>
void ExpectNamedIsScipys(std::string_view name) {
  std::size_t cases = 0;
  for (const CorrelateFixture& fixture : kCorrelateFixtures) {
    const KernelFixture& kernel = kKernelFixtures[fixture.kernel];
    if (kernel.name != name || fixture.image != ImageFixture::kBytes) continue;
    ++cases;
    ExpectScipys<std::uint8_t>(fixture, [](auto image, auto border, auto out) {
      Correlate<Kernel, Simd, decltype(border)>(image, out);
    });
  }
  EXPECT_GT(cases, 0u) << name;
}

TEST(NamedKernelTest, IsScipys) {
  ExpectNamedIsScipys<Sobel3x3>("Sobel3x3");
  ExpectNamedIsScipys<Scharr3x3>("Scharr3x3");
  ExpectNamedIsScipys<Sobel5x3>("Sobel5x3");
  ExpectNamedIsScipys<Sobel5x5>("Sobel5x5");
  ExpectNamedIsScipys<Neighbours8>("Neighbours8");
}

// The targets' names are in their tests' names.
TEST(CorrelateScipy, TargetIsTheOneAskedFor) {
#ifdef HPCNN_TEST_TARGET
  EXPECT_EQ(HWY_TARGET, HPCNN_TEST_TARGET);
#endif
}

}  // namespace
}  // namespace hpcnn
