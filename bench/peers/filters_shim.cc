// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Correlate and GradientMagnitude with kernels of compile time as C functions,
// for filters.py.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "bench/dense_kernel.h"
#include "bench/roofline.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/sobel.h"

namespace hpcnn::bench {
namespace {

// A column times a row, neither symmetric nor with a 0. K is odd.
template <std::size_t K>
struct Outer {
  static constexpr Stencil<K, K> kTaps = [] {
    Stencil<K, K> stencil{};
    for (std::size_t r = 0; r < K; ++r) {
      for (std::size_t c = 0; c < K; ++c) {
        stencil.taps[r][c] = Weight(2 * r % K, K) * Weight(4 * c % K, K);
      }
    }
    return stencil;
  }();
};

template <class Kernel, class In, class Out>
void Filter(const In* image, Out* out, std::size_t rows, std::size_t cols) {
  Correlate<Kernel>(MatrixView<const In>(image, rows, cols),
                    MatrixView<Out>(out, rows, cols));
}

template <class Kernel>
void Magnitude(const float* image, float* out, std::size_t rows,
               std::size_t cols) {
  GradientMagnitude<Kernel>(MatrixView<const float>(image, rows, cols),
                            MatrixView<float>(out, rows, cols));
}

// filters.py has the same structure. Images are [height, width], dense.
struct KernelFunctions {
  const char* name;
  std::size_t rows, cols;
  const int* taps;  // [rows, cols]
  void (*floats)(const float* image, float* out, std::size_t height,
                 std::size_t width);
  void (*bytes)(const std::uint8_t* image, std::int16_t* out,
                std::size_t height, std::size_t width);
  void (*magnitude)(const float* image, float* out, std::size_t height,
                    std::size_t width);  // or null
};

template <class Kernel>
constexpr KernelFunctions FunctionsOf(const char* name) {
  constexpr const auto& kTaps = Kernel::kTaps.taps;
  return {name,
          std::size(kTaps),
          std::size(kTaps[0]),
          &kTaps[0][0],
          Filter<Kernel, float, float>,
          Filter<Kernel, std::uint8_t, std::int16_t>,
          nullptr};
}

template <class Kernel>
constexpr KernelFunctions NamedFunctionsOf(const char* name) {
  KernelFunctions functions = FunctionsOf<Kernel>(name);
  functions.magnitude = Magnitude<Kernel>;
  return functions;
}

constexpr KernelFunctions kKernels[] = {
    FunctionsOf<Dense<3>>("dense 3x3"),
    FunctionsOf<Dense<5, 3>>("dense 5x3"),
    FunctionsOf<Dense<5>>("dense 5x5"),
    FunctionsOf<Dense<7>>("dense 7x7"),
    FunctionsOf<Dense<9>>("dense 9x9"),
    FunctionsOf<Dense<15>>("dense 15x15"),
    FunctionsOf<Outer<7>>("rank-1 7x7"),
    FunctionsOf<Outer<9>>("rank-1 9x9"),
    FunctionsOf<Outer<15>>("rank-1 15x15"),
    NamedFunctionsOf<Sobel3x3>("Sobel3x3"),
    NamedFunctionsOf<Scharr3x3>("Scharr3x3"),
    NamedFunctionsOf<Sobel5x3>("Sobel5x3"),
    NamedFunctionsOf<Sobel5x5>("Sobel5x5"),
    FunctionsOf<Neighbours8>("Neighbours8"),
};

}  // namespace
}  // namespace hpcnn::bench

extern "C" {

const hpcnn::bench::KernelFunctions* Kernels() {
  return hpcnn::bench::kKernels;
}
std::size_t KernelCount() { return std::size(hpcnn::bench::kKernels); }

// Seconds of one copy of n elements between a bench's own buffers.
double CopyFloats(const float* from, float* to, std::size_t n, int calls) {
  return hpcnn::bench::ProbeCopy(from, to, n, calls);
}
double CopyBytesToShorts(const std::uint8_t* from, std::int16_t* to,
                         std::size_t n, int calls) {
  return hpcnn::bench::ProbeCopy(from, to, n, calls);
}
// Multiply-adds a second.
double FloatMultiplyAdds() { return hpcnn::bench::ProbeFmaFlops() / 2; }
double ByteMultiplyAdds() { return hpcnn::bench::ProbeByteMultiplyAdds(); }
const char* SimdTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

}  // extern "C"
