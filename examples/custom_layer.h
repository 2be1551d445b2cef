// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A layer, a loss, an optimizer and a dataset of one's own. Nothing is derived
// or registered: a type that has what layer.h, loss.h, optimizer.h and
// dataset.h ask for stands wherever ours do. P, Scalar or Simd, is for types
// that call ops; plain loops are the same for both.

#ifndef HPCNN_EXAMPLES_CUSTOM_LAYER_H_
#define HPCNN_EXAMPLES_CUSTOM_LAYER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hpcnn/hpcnn.h"

namespace examples {

// y = x, or slope * x below 0, with a learned slope for each element. He et
// al., ICCV 2015.
struct PRelu {
  static constexpr const char* kName = "PRelu";

  template <hpcnn::ShapeType In>
  struct On {
    using Input = In;
    using Output = In;
    using Expects = hpcnn::AnyShape;
    static constexpr std::size_t kParameterRows = 1;
    static constexpr std::size_t kRowSize = In::kVolume;
    static constexpr std::size_t kForwardFlops = 2 * In::kVolume;
    static constexpr bool kInPlace = false;
    static constexpr bool kReadsInput = true;
    static constexpr bool kKeepsOutput = false;

    template <class T>
    static void Initialise(std::span<T> slopes, hpcnn::RandomStream&) {
      std::ranges::fill(slopes, T{0.25f});
    }

    template <hpcnn::ExecutionPolicy P, class T>
    static void Forward(const hpcnn::ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < kRowSize; ++i) {
          const T x = pass.x(n, i);
          pass.y(n, i) = x > T{0} ? x : pass.params[i] * x;
        }
      }
    }

    template <hpcnn::ExecutionPolicy P, class T>
    static void BackwardInput(const hpcnn::BackwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < kRowSize; ++i) {
          const T slope = pass.x(n, i) > T{0} ? T{1} : pass.params[i];
          pass.d_x(n, i) = slope * pass.d_y(n, i);
        }
      }
    }

    template <hpcnn::ExecutionPolicy P, class T>
    static void BackwardParameters(const hpcnn::ParameterPass<T>& pass) {
      if (pass.rows.size() == 0) return;  // the only row is another thread's
      std::ranges::fill(pass.d_params, T{0});
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < kRowSize; ++i) {
          pass.d_params[i] += std::min(pass.x(n, i), T{0}) * pass.d_y(n, i);
        }
      }
    }
  };
};

// The label's output is to be larger than every other by 1 at least:
//   loss = sum over c != label of max(0, 1 + x[c] - x[label])
// Weston and Watkins, ESANN 1999.
struct Hinge {
  static constexpr const char* kName = "Hinge";

  template <class T>
  using Targets = std::span<const std::uint8_t>;

  template <hpcnn::ExecutionPolicy P, class T>
  static void Evaluate(hpcnn::MatrixView<const T> x, Targets<T> labels,
                       std::size_t first, T scale, hpcnn::MatrixView<T> d_x,
                       std::span<T> losses) {
    for (std::size_t n = 0; n < x.rows(); ++n) {
      const std::size_t label = labels[first + n];
      losses[n] = 0;
      std::fill_n(d_x.row(n), d_x.cols(), T{0});
      for (std::size_t c = 0; c < x.cols(); ++c) {
        const T missing = T{1} + x(n, c) - x(n, label);
        if (c == label || missing <= T{0}) continue;
        losses[n] += missing;
        d_x(n, c) += scale;
        d_x(n, label) -= scale;
      }
    }
  }
};

// Steps of one length, towards the sign of a mixture of gradient and momentum:
//   w -= rate * sign(beta1 * m + (1 - beta1) * g)
//   m = beta2 * m + (1 - beta2) * g
// Chen et al., NeurIPS 2023.
struct Lion {
  static constexpr const char* kName = "lion";
  static constexpr std::size_t kStates = 1;  // m

  float beta1 = 0.9f;
  float beta2 = 0.99f;

  template <hpcnn::ExecutionPolicy P, class T>
  void Update(const hpcnn::OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates> state) const {
    for (std::size_t i = 0; i < params.size(); ++i) {
      const T g = gradient[i];
      T& m = state[0][i];
      const T mixture = T{beta1} * m + (T{1} - T{beta1}) * g;
      const T sign = static_cast<T>((mixture > T{0}) - (mixture < T{0}));
      params[i] -= step.rate * sign;
      m = T{beta2} * m + (T{1} - T{beta2}) * g;
    }
  }
};

// Lines in noise, level, upright, rising or falling: the label. One that leaves
// the image at a side comes in again at the other.
class Lines {
 public:
  using ImageShape = hpcnn::Shape<1, 8, 8>;
  static constexpr std::size_t kClasses = 4;

  // Image i depends on i and the seed alone.
  Lines(std::size_t count, std::uint64_t seed)
      : pixels_(count * ImageShape::kVolume) {
    for (std::size_t i = 0; i < count; ++i) {
      hpcnn::RandomStream random(
          {.seed = seed, .sample = static_cast<std::uint32_t>(i)});
      const std::size_t place = random.Below(8);
      std::uint8_t* pixel = &pixels_[i * ImageShape::kVolume];
      for (std::size_t y = 0; y < 8; ++y) {
        for (std::size_t x = 0; x < 8; ++x) {
          const std::array<std::size_t, kClasses> line{y, x, (y + x) % 8,
                                                       (y + 8 - x) % 8};
          const std::uint32_t brightness = line[label(i)] == place ? 100 : 0;
          *pixel++ = static_cast<std::uint8_t>(brightness + random.Below(156));
        }
      }
    }
  }

  std::size_t size() const { return pixels_.size() / ImageShape::kVolume; }
  hpcnn::ImageView<ImageShape> image(std::size_t i) const {
    return hpcnn::ImageView<ImageShape>(&pixels_[i * ImageShape::kVolume]);
  }
  std::uint8_t label(std::size_t i) const {
    return static_cast<std::uint8_t>(i % kClasses);
  }

 private:
  std::vector<std::uint8_t> pixels_;  // [count, 1, 8, 8]
};

}  // namespace examples

#endif  // HPCNN_EXAMPLES_CUSTOM_LAYER_H_
