// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Handwritten-looking digits made by the program, for when no MNIST is at hand:
// the same shape and classes, drawn with a round pen along a few strokes.
//
//   style -> jitter and warp of its points -> slant, turn, scale -> centre
//         -> distance of each pixel to the strokes -> brightness
//
// A digit is a pure function of (seed, its index). Only exactly rounded
// operations are used (no sine, no exponential), so the bytes are the same on
// every machine when the compiler is told not to fuse multiply-adds
// (-ffp-contract=off). Accuracies on these digits say nothing about MNIST's.

#ifndef HPCNN_DATA_SYNTHETIC_DIGITS_H_
#define HPCNN_DATA_SYNTHETIC_DIGITS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hpcnn/base/check.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/data/dataset.h"

HPCNN_NAMESPACE_BEGIN

using SyntheticDigits = ImageSet<Shape<1, 28, 28>, 10>;

namespace internal {

// Ways to write each digit. A stroke is '~' (a smooth curve) or '-' (straight
// lines) and its points, "xy" on a grid of 0..9 from the top left.
inline constexpr std::size_t kStylesPerDigit = 4;
inline constexpr std::string_view kDigitStrokes[10][kStylesPerDigit] = {
    {"~50 20 03 06 29 69 96 93 70 40", "~60 32 25 38 59 78 85 72 50 41",
     "~30 12 05 18 49 78 95 72 40 20", "~61 31 04 07 39 79 96 93 71 42"},
    {"-50 49", "-60 39", "-23 50 59", "-23 50 59 -29 89"},
    {"~12 30 60 82 74 46 19 -19 99", "~02 20 60 82 64 28 07 27 59 98",
     "~13 40 71 73 36 09 -09 98", "-11 40 ~40 70 83 56 18 -18 99"},
    {"~11 40 71 73 44 ~44 75 87 59 28 17", "-10 80 44 ~44 84 97 69 29 08",
     "~02 30 70 72 44 34 ~44 74 87 68 39 18",
     "~10 60 82 64 34 ~34 76 78 49 09"},
    {"-60 05 95 -70 69", "-20 15 85 -70 69", "~20 14 35 84 -81 68",
     "-50 06 86 -64 59"},
    {"-80 20 14 ~14 53 86 78 49 18", "-70 30 ~30 24 53 76 68 39 09",
     "-90 30 15 ~15 44 75 88 59 09", "-30 14 ~14 64 87 58 18 -30 80"},
    {"~80 42 16 28 59 87 75 45 17", "~60 23 16 29 69 87 65 35 17",
     "~40 14 07 39 79 86 64 25", "~90 42 25 28 59 78 66 36 27"},
    {"-10 90 49", "-00 90 39 -25 75", "~12 20 60 90 65 49", "-12 10 80 39"},
    {"~71 40 22 44 76 78 49 28 26 54 72 60 40",
     "~40 12 44 72 40 30 ~44 16 49 86 44 34",
     "~82 50 22 34 66 87 59 27 25 64 82 71",
     "~50 31 34 63 61 40 ~44 15 28 68 76 44"},
    {"~81 50 21 24 55 83 ~82 76 59", "~70 31 14 45 72 60 -70 69",
     "~82 60 31 33 54 82 ~82 87 59 28", "~61 30 12 24 54 71 -71 59"},
};

struct Point {
  float x, y;
};
constexpr Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
constexpr Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
constexpr Point operator*(float s, Point p) { return {s * p.x, s * p.y}; }
constexpr float Dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }

// The hand of one digit: everything that is drawn at random but the points'
// own jitter. Lengths in pixels.
struct Handwriting {
  static constexpr std::size_t kWarpSide = 3;

  explicit Handwriting(RandomStream& random) {
    // tan of half the angle gives sine and cosine without either: about ±13°.
    const float t = random.Uniform(-0.115f, 0.115f);
    const float cosine = (1 - t * t) / (1 + t * t);
    const float sine = 2 * t / (1 + t * t);
    const float height = random.Uniform(15.0f, 20.0f);
    const float width = height * random.Uniform(0.5f, 0.85f);
    const float slant = random.Uniform(-0.15f, 0.4f);
    // Turn * shear * scale.
    x_axis = width * Point{cosine, sine};
    y_axis = height * Point{-sine - slant * cosine, cosine - slant * sine};
    for (Point& p : warp) p = Jitter(random, 0.16f);
    shift = Jitter(random, 1.0f);
    radius = random.Uniform(0.6f, 1.7f);
    brightness = random.Uniform(200.0f, 255.0f);
  }

  static Point Jitter(RandomStream& random, float most) {
    const float x = random.Uniform(-most, most);
    return {x, random.Uniform(-most, most)};
  }

  // From the unit square, (0, 0) at the top left, to pixels around (0, 0).
  Point Place(Point p) const {
    // The warp is bilinear between 3x3 displacements.
    const std::size_t column = p.x < 0.5f ? 0 : 1;
    const std::size_t row = p.y < 0.5f ? 0 : 1;
    const Point* corner = &warp[row * kWarpSide + column];
    const float fx = 2 * p.x - static_cast<float>(column);
    const float fy = 2 * p.y - static_cast<float>(row);
    const Point top = corner[0] + fx * (corner[1] - corner[0]);
    const Point bottom =
        corner[kWarpSide] + fx * (corner[kWarpSide + 1] - corner[kWarpSide]);
    const Point q = p + top + fy * (bottom - top) - Point{0.5f, 0.5f};
    return q.x * x_axis + q.y * y_axis;
  }

  Point x_axis, y_axis;  // of the unit square
  std::array<Point, kWarpSide * kWarpSide> warp;
  Point shift;
  float radius;
  float brightness;
};

// The centre line of a digit as straight segments.
class PenPath {
 public:
  struct Segment {
    Point from, to;
  };

  PenPath(std::string_view strokes, const Handwriting& hand,
          RandomStream& random) {
    std::array<Point, kMaxPoints> points;
    for (std::size_t i = 0; i < strokes.size();) {
      const bool smooth = strokes[i++] == '~';
      std::size_t count = 0;
      for (; i < strokes.size() && Digit(strokes[i]); i += 3) {
        const Point p{Grid(strokes[i]), Grid(strokes[i + 1])};
        points[count++] = hand.Place(p + Handwriting::Jitter(random, 0.045f));
      }
      for (std::size_t k = 0; k + 1 < count; ++k) {
        if (smooth) {
          AddCurve(points[k == 0 ? 0 : k - 1], points[k], points[k + 1],
                   points[std::min(k + 2, count - 1)]);
        } else {
          Add(points[k], points[k + 1]);
        }
      }
    }
  }

  // Moves the mean of the ink, as far as its length tells, to `centre`.
  void Centre(Point centre) {
    Point sum{0, 0};
    float length = 0;
    for (const Segment& s : segments()) {
      const Point d = s.to - s.from;
      const float l = std::sqrt(Dot(d, d));
      sum = sum + 0.5f * l * (s.from + s.to);
      length += l;
    }
    const Point move = centre - 1 / length * sum;
    for (std::size_t i = 0; i < count_; ++i) {
      segments_[i] = {segments_[i].from + move, segments_[i].to + move};
    }
  }

  std::span<const Segment> segments() const {
    return {segments_.data(), count_};
  }

 private:
  static constexpr std::size_t kMaxPoints = 16;
  static constexpr int kSegmentsPerCurve = 4;  // each about a pixel long

  static bool Digit(char c) { return c >= '0' && c <= '9'; }
  static float Grid(char c) { return static_cast<float>(c - '0') / 9; }

  // From b to c, with the slopes that a and d give (Catmull and Rom, 1974).
  void AddCurve(Point a, Point b, Point c, Point d) {
    Point from = b;
    for (int i = 1; i <= kSegmentsPerCurve; ++i) {
      const float t = static_cast<float>(i) / kSegmentsPerCurve;
      const Point bend = (2 * a - 5 * b) + (4 * c - d);
      const Point twist = 3 * (b - c) + (d - a);
      const Point to = b + 0.5f * t * ((c - a) + t * (bend + t * twist));
      Add(from, to);
      from = to;
    }
  }

  void Add(Point from, Point to) {
    HPCNN_CHECK(count_ < segments_.size(), "a digit has too many strokes");
    segments_[count_++] = {from, to};
  }

  std::array<Segment, 64> segments_;
  std::size_t count_ = 0;
};

// Draws the path with a round pen whose edge fades over kFade pixels.
inline void Ink(const PenPath& path, float radius, float brightness,
                TensorView<std::uint8_t, 1, 28, 28> out) {
  constexpr int kSide = 28;
  constexpr float kFade = 1.4f;
  const float reach = radius + kFade / 2;
  // Squared distance of each pixel to the path; only those in reach matter.
  std::array<float, kSide * kSide> distance2;
  distance2.fill(reach * reach);
  const auto clip = [](float v) {
    return static_cast<int>(std::clamp(v, 0.0f, float{kSide}));
  };
  for (const auto& [from, to] : path.segments()) {
    const Point d = to - from;
    const float inverse = 1 / std::max(Dot(d, d), 1e-6f);
    const int left = clip(std::min(from.x, to.x) - reach);
    const int right = clip(std::max(from.x, to.x) + reach + 1);
    const int bottom = clip(std::max(from.y, to.y) + reach + 1);
    for (int y = clip(std::min(from.y, to.y) - reach); y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const Point p =
            Point{static_cast<float>(x), static_cast<float>(y)} - from;
        const float t = std::clamp(Dot(p, d) * inverse, 0.0f, 1.0f);
        const Point away = p - t * d;
        float& nearest = distance2[static_cast<std::size_t>(y * kSide + x)];
        nearest = std::min(nearest, Dot(away, away));
      }
    }
  }
  for (std::size_t i = 0; i < distance2.size(); ++i) {
    out[i] = 0;
    if (distance2[i] >= reach * reach) continue;
    const float ink = (reach - std::sqrt(distance2[i])) / kFade;
    out[i] = static_cast<std::uint8_t>(brightness * std::min(ink, 1.0f) + 0.5f);
  }
}

}  // namespace internal

// Digits [first, first + count) of the endless sequence that `seed` names; the
// classes take turns.
inline SyntheticDigits MakeSyntheticDigits(std::size_t count,
                                           std::uint64_t seed,
                                           std::uint32_t first = 0) {
  SyntheticDigits digits(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t sample = first + static_cast<std::uint32_t>(i);
    RandomStream random(
        {.seed = seed, .sample = sample, .op = RandomOp::kSyntheticDigit});
    const std::uint32_t label = sample % 10;
    const auto& styles = internal::kDigitStrokes[label];
    const auto style = styles[random.Below(internal::kStylesPerDigit)];
    const internal::Handwriting hand(random);
    internal::PenPath path(style, hand, random);
    path.Centre(internal::Point{13.5f, 13.5f} + hand.shift);
    internal::Ink(path, hand.radius, hand.brightness, digits.image(i));
    digits.label(i) = static_cast<std::uint8_t>(label);
  }
  return digits;
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_DATA_SYNTHETIC_DIGITS_H_
