// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Layers as C functions, for layers.py.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "bench/roofline.h"
#include "hpcnn/hpcnn.h"

namespace {

using namespace hpcnn;  // NOLINT: a list of its layers

// Of one batch. x, d_x: [n, inputs], y, d_y: [n, outputs].
struct Arrays {
  const float* params;
  const float* x;
  float* y;
  const float* d_y;
  float* d_x;
  float* d_params;
};

struct Layer {
  const char* name;
  std::size_t inputs, outputs, parameters, flops;
  void (*forward)(const Arrays&, std::size_t n);
  void (*back)(const Arrays&, std::size_t n);
};

template <class L>
struct Run {
  static constexpr std::size_t kIn = L::Input::kVolume;
  static constexpr std::size_t kOut = L::Output::kVolume;
  static constexpr std::size_t kParams = L::kParameterRows * L::kRowSize;
  static constexpr std::size_t kTrained =
      internal::TrainedRows<L>() * L::kRowSize;

  static std::span<float> Scratch() {
    static std::vector<float> scratch(internal::Scratch<L>());
    return scratch;
  }
  static std::span<float> Statistics() {
    static std::vector<float> statistics(internal::Statistics<L>());
    return statistics;
  }
  static std::span<const float> Params(const Arrays& a) {
    return {a.params, kParams};
  }

  static void Forward(const Arrays& a, std::size_t n) {
    const MatrixView<const float> x(a.x, n, kIn);
    if constexpr (internal::Statistics<L>() > 0) {
      L::template Measure<Simd>(MeasurePass<float>{
          x, {a.d_y, n, kOut}, {0, L::kChannels}, Statistics()});
    }
    L::template Forward<Simd>(ForwardPass<float>{
        Params(a), x, {a.y, n, kOut}, Scratch(), {}, Statistics()});
  }

  static void Back(const Arrays& a, std::size_t n) {
    const MatrixView<const float> x(a.x, n, kIn), y(a.y, n, kOut),
        d_y(a.d_y, n, kOut);
    if constexpr (internal::Statistics<L>() > 0) {
      L::template MeasureBack<Simd>(
          MeasurePass<float>{x, d_y, {0, L::kChannels}, Statistics()});
    }
    L::template BackwardInput<Simd>(BackwardPass<float>{
        Params(a), x, y, d_y, {a.d_x, n, kIn}, Scratch(), {}, Statistics()});
    if constexpr (kTrained > 0) {
      L::template BackwardParameters<Simd>(
          ParameterPass<float>{x,
                               d_y,
                               {0, internal::TrainedRows<L>()},
                               {a.d_params, kTrained},
                               Scratch(),
                               Statistics()});
    }
  }
};

template <class Description, class In>
constexpr Layer Of(const char* name) {
  using L = typename Description::template On<In>;
  return {name,
          L::Input::kVolume,
          L::Output::kVolume,
          Run<L>::kTrained,
          L::kForwardFlops,
          &Run<L>::Forward,
          &Run<L>::Back};
}

using Same = Padding<1>;
// layers.py has the same list for PyTorch.
constexpr std::array kLayers = {
    Of<Conv2d<8, 5, 5>, Shape<1, 28, 28>>("conv2d 1 to 8, 5x5"),
    Of<Conv2d<16, 5, 5>, Shape<8, 12, 12>>("conv2d 8 to 16, 5x5"),
    Of<Conv2d<16, 3, 3, Stride<1>, Same>, Shape<16, 24, 24>>(
        "conv2d 16 to 16, 3x3, padded"),
    Of<DepthwiseConv2d<3, 3, Stride<1>, Same>, Shape<16, 24, 24>>(
        "depthwise conv2d 16, 3x3, padded"),
    Of<Dense<128>, Shape<784>>("dense 784 to 128"),
    Of<Dense<10>, Shape<128>>("dense 128 to 10"),
    Of<MaxPool<2>, Shape<8, 24, 24>>("max pool 2x2"),
    Of<AvgPool<2>, Shape<8, 24, 24>>("average pool 2x2"),
    Of<BatchNorm, Shape<16, 12, 12>>("batch norm of images"),
    Of<BatchNorm, Shape<256>>("batch norm of vectors"),
    Of<LayerNorm, Shape<256>>("layer norm"),
    Of<Relu, Shape<16, 12, 12>>("relu"),
    Of<Gelu, Shape<16, 12, 12>>("gelu"),
    Of<Elu<>, Shape<16, 12, 12>>("elu"),
    Of<Sigmoid, Shape<16, 12, 12>>("sigmoid"),
    Of<Tanh, Shape<16, 12, 12>>("tanh"),
    Of<Softmax, Shape<10>>("softmax of 10"),
};

}  // namespace

extern "C" {

std::size_t LayerCount() { return kLayers.size(); }
const char* LayerName(std::size_t i) { return kLayers[i].name; }
std::size_t LayerInputs(std::size_t i) { return kLayers[i].inputs; }
std::size_t LayerOutputs(std::size_t i) { return kLayers[i].outputs; }
std::size_t LayerParameters(std::size_t i) { return kLayers[i].parameters; }
std::size_t LayerFlops(std::size_t i) { return kLayers[i].flops; }

// Seconds of one pass, of `calls`: forward, or forward and back.
double LayerRun(std::size_t i, const Arrays* arrays, std::size_t n, bool back,
                int calls) {
  const Layer& layer = kLayers[i];
  return hpcnn::bench::Seconds([&] {
           for (int call = 0; call < calls; ++call) {
             layer.forward(*arrays, n);
             if (back) layer.back(*arrays, n);
           }
         }) /
         calls;
}

double ProbeFmaFlops() { return hpcnn::bench::ProbeFmaFlops(); }
const char* SimdTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

}  // extern "C"
