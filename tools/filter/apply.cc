// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/filter/apply.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "hpcnn/base/policy.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/stencil.h"
#include "tools/filter/kernels.h"

namespace hpcnn::filter {
namespace {

template <class T>
Matrix<T> TransposeMatrix(const Matrix<T>& m) {
  Matrix<T> transposed(m.cols, m.rows);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) {
      transposed.view()(c, r) = m.view()(r, c);
    }
  }
  return transposed;
}

// Of each pair, rounded as GradientMagnitude does.
template <class T>
Matrix<float> Magnitudes(const Matrix<T>& across, const Matrix<T>& down) {
  Matrix<float> sizes(across.rows, across.cols);
  for (std::size_t i = 0; i < sizes.values.size(); ++i) {
    const auto gx = static_cast<float>(across.values[i]);
    const auto gy = static_cast<float>(down.values[i]);
    sizes.values[i] = std::sqrt(gx * gx + gy * gy);
  }
  return sizes;
}

template <class T>
Matrix<float> Floats(const Matrix<T>& m) {
  return Matrix<float>(m.rows, m.cols, {m.values.begin(), m.values.end()});
}

// Taps that are known now.
template <class Policy, class Border, class In, class Tap>
Result ApplyTaps(const Matrix<In>& image, const Matrix<Tap>& taps,
                 const Request& request, ThreadPool& pool) {
  using Sum = std::conditional_t<std::is_integral_v<In>, std::int32_t, float>;
  const auto correlate = [&](const Matrix<Tap>& with) {
    Matrix<Sum> out(image.rows, image.cols);
    Correlate<Policy, Border>(image.view(), with.view(), out.view(), &pool);
    return out;
  };
  if (request.magnitude) {
    return Magnitudes(correlate(taps), correlate(TransposeMatrix(taps)));
  }
  return correlate(request.transpose ? TransposeMatrix(taps) : taps);
}

// Taps that the compiler knows.
template <class Policy, class K>
Result ApplyNamed(const GrayImage& image, const Request& request,
                  ThreadPool& pool) {
  if (request.magnitude) {
    Matrix<float> out(image.rows, image.cols);
    GradientMagnitude<K, Policy>(image.view(), out.view(), &pool);
    return out;
  }
  Matrix<std::int32_t> out(image.rows, image.cols);
  Correlate<K, Policy>(image.view(), out.view(), &pool);
  return out;
}

template <class Policy, class In>
Result ApplyWith(const Matrix<In>& image, const Kernel& kernel,
                 const Request& request, ThreadPool& pool) {
  // Every kernel for every border and type, both ways round, would take minutes
  // to compile. With taps that are known at run time integers come out the same,
  // floats within Correlate's bound.
  if constexpr (std::is_same_v<In, std::uint8_t>) {
    if (!kernel.from_file && !request.transpose &&
        request.border == ZeroBorder::kName) {
      std::optional<Result> result;
      ForEachNamedKernel([&]<class K>(const Named<K>& named) {
        if (named.name == kernel.name) {
          result = ApplyNamed<Policy, K>(image, request, pool);
        }
      });
      return *std::move(result);
    }
  }
  return std::visit(
      [&]<class Tap>(const Matrix<Tap>& taps) -> Result {
        const auto apply = [&]<class Border>(Border) {
          // Integers are exact. All else is sums of floats, whatever the types
          // were: fewer pairs of types to compile.
          if constexpr (std::is_integral_v<In> && std::is_integral_v<Tap>) {
            return ApplyTaps<Policy, Border>(image, taps, request, pool);
          } else {
            return ApplyTaps<Policy, Border>(Floats(image), Floats(taps),
                                             request, pool);
          }
        };
        if (request.border == ReplicateBorder::kName) {
          return apply(ReplicateBorder{});
        }
        if (request.border == ReflectBorder::kName) {
          return apply(ReflectBorder{});
        }
        if (request.border == WrapBorder::kName) return apply(WrapBorder{});
        return apply(ZeroBorder{});
      },
      kernel.taps);
}

}  // namespace

Result Apply(const Picture& picture, const Kernel& kernel,
             const Request& request, ThreadPool& pool) {
  return std::visit(
      [&](const auto& image) {
        return request.policy == Scalar::kName
                   ? ApplyWith<Scalar>(image, kernel, request, pool)
                   : ApplyWith<Simd>(image, kernel, request, pool);
      },
      picture);
}

}  // namespace hpcnn::filter
