// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/filter/test_picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hpcnn/data/synthetic_digits.h"

namespace hpcnn::filter {
namespace {

constexpr std::size_t kSide = 384;
constexpr float kBackground = 70;

// Shapes as functions of a point: x to the right, y down, in pixels. Only
// exactly rounded operations, as in synthetic_digits.h.

float Mix(float from, float to, float share) {
  return from + share * (to - from);
}

// How much of a pixel is inside, by the signed distance to the edge.
float Cover(float distance) { return std::clamp(0.5f - distance, 0.0f, 1.0f); }

// A ball that is lit from the top left.
float Ball(float below, float x, float y) {
  constexpr float kRadius = 72;
  const float dx = (x - 100) / kRadius;
  const float dy = (y - 104) / kRadius;
  const float flat = std::sqrt(dx * dx + dy * dy);
  const float height = std::sqrt(std::max(0.0f, 1 - flat * flat));
  const float light = std::max(0.0f, (2 * height - dx - 2 * dy) / 3);
  return Mix(below, 50 + 200 * light, Cover(kRadius * (flat - 1)));
}

// Rings that get narrower outwards: a triangle wave of the squared radius.
float Rings(float below, float x, float y) {
  constexpr float kRadius = 76;
  constexpr float kNarrowest = 8;  // pixels from ring to ring at the edge
  const float r2 = (x - 284) * (x - 284) + (y - 104) * (y - 104);
  const float turns = r2 / (2 * kRadius * kNarrowest);
  const float wave = std::abs(2 * (turns - std::floor(turns)) - 1);
  return Mix(below, 30 + 210 * wave, Cover(std::sqrt(r2) - kRadius));
}

// A square frame, turned by the angle whose sine is 3/5.
float Frame(float below, float x, float y) {
  const float dx = x - 84;
  const float dy = y - 254;
  const float out =
      std::max(std::abs(4 * dx + 3 * dy) / 5, std::abs(4 * dy - 3 * dx) / 5);
  const float outer = Mix(below, 235, Cover(out - 44));
  return Mix(outer, 60, Cover(out - 26));
}

// Bars of 1, 2, 3, ... pixels, bar n from n (n - 1) / 2 to n (n + 1) / 2.
float Bar(float at) {
  const float number = std::floor((1 + std::sqrt(8 * std::floor(at) + 1)) / 2);
  return number - 2 * std::floor(number / 2) > 0 ? 225.0f : 45.0f;
}

float Bars(float below, float x, float y) {
  if (y < 208 || y >= 299) return below;
  if (x >= 172 && x < 263) return Bar(x - 172);
  if (x >= 276 && x < 367) return Bar(y - 208);
  return below;
}

void DrawDigits(GrayImage& picture) {
  const SyntheticDigits digits = MakeSyntheticDigits(10, /*seed=*/7);
  for (std::size_t i = 0; i < 10; ++i) {
    const auto ink = digits.image(i);
    const MatrixView<std::uint8_t> place =
        picture.view().Region(333, 17 + 36 * i, 28, 28);
    for (std::size_t y = 0; y < 28; ++y) {
      for (std::size_t x = 0; x < 28; ++x) {
        std::uint8_t& pixel = place(y, x);
        pixel = static_cast<std::uint8_t>(std::min(255, pixel + ink(0, y, x)));
      }
    }
  }
}

}  // namespace

GrayImage DrawTestPicture() {
  GrayImage picture(kSide, kSide);
  for (std::size_t row = 0; row < kSide; ++row) {
    for (std::size_t col = 0; col < kSide; ++col) {
      const auto x = static_cast<float>(col);
      const auto y = static_cast<float>(row);
      float gray = kBackground;
      gray = Ball(gray, x, y);
      gray = Rings(gray, x, y);
      gray = Frame(gray, x, y);
      gray = Bars(gray, x, y);
      picture.view()(row, col) = static_cast<std::uint8_t>(gray + 0.5f);
    }
  }
  DrawDigits(picture);
  return picture;
}

}  // namespace hpcnn::filter
