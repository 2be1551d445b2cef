// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/filter/show.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/strings/str_format.h"

namespace hpcnn::filter {
namespace {

// What is shown at the end of the greys.
double Peak(const Range& range, Zero zero) {
  return zero == Zero::kBlack ? range.high : std::max(-range.low, range.high);
}

}  // namespace

Range RangeOf(const Result& result) {
  return std::visit(
      [](const auto& matrix) {
        Range range{INFINITY, -INFINITY};
        for (const auto value : matrix.values) {
          const auto v = static_cast<double>(value);
          if (!std::isfinite(v)) continue;
          range.low = std::min(range.low, v);
          range.high = std::max(range.high, v);
        }
        return range.low <= range.high ? range : Range{};
      },
      result);
}

Zero ZeroOf(const Kernel& kernel, const Request& request, const Range& range) {
  if (request.magnitude) return Zero::kBlack;
  const bool has_negative_tap = std::visit(
      [](const auto& taps) {
        return std::any_of(taps.values.begin(), taps.values.end(),
                           [](auto tap) { return tap < 0; });
      },
      kernel.taps);
  return has_negative_tap || range.low < 0 ? Zero::kGray : Zero::kBlack;
}

GrayImage Show(const Result& result, const Range& range, Zero zero) {
  const double peak = Peak(range, zero);
  const double black = zero == Zero::kBlack ? 0 : 128;
  const double scale = peak > 0 ? (255 - black) / peak : 0;
  return std::visit(
      [&](const auto& matrix) {
        GrayImage gray(matrix.rows, matrix.cols);
        for (std::size_t i = 0; i < gray.values.size(); ++i) {
          const auto value = static_cast<double>(matrix.values[i]);
          const double finite =
              std::isnan(value) ? 0 : std::clamp(value, range.low, range.high);
          gray.values[i] =
              static_cast<std::uint8_t>(black + scale * finite + 0.5);
        }
        return gray;
      },
      result);
}

std::string Legend(const Range& range, Zero zero) {
  const double peak = Peak(range, zero);
  if (zero == Zero::kBlack) {
    return absl::StrFormat("0 as black (0), %.6g as white (255)", peak);
  }
  return absl::StrFormat(
      "%.6g as black (1), 0 as grey (128), %.6g as white (255)", -peak, peak);
}

Result AsResult(const Picture& picture) {
  return std::visit(
      []<class T>(const Matrix<T>& matrix) -> Result {
        using Value =
            std::conditional_t<std::is_integral_v<T>, std::int32_t, float>;
        return Matrix<Value>(matrix.rows, matrix.cols,
                             {matrix.values.begin(), matrix.values.end()});
      },
      picture);
}

}  // namespace hpcnn::filter
