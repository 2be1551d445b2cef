// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The layers of hpcnn/nn, each with 20 or more input shapes that it is checked
// with, and the check. There is a list for each file of tests that runs it, so
// that each compiles in less than a minute.
//
// A new layer goes into a list: the scan of the headers (gradient_test.cc)
// fails while it is in none, and the build while it is in one without cases.

#ifndef HPCNN_TESTS_NN_GRADIENT_CASES_H_
#define HPCNN_TESTS_NN_GRADIENT_CASES_H_

#include <cstddef>
#include <ratio>
#include <tuple>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/batch_norm.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/depthwise_conv2d.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/gradient_check.h"
#include "hpcnn/nn/init.h"
#include "hpcnn/nn/layer_norm.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/slice.h"
#include "hpcnn/nn/softmax.h"

namespace hpcnn_test {

using hpcnn::AvgPool;
using hpcnn::Conv2d;
using hpcnn::Dense;
using hpcnn::DepthwiseConv2d;
using hpcnn::Dropout;
using hpcnn::Elu;
using hpcnn::LeakyRelu;
using hpcnn::MaxPool;
using hpcnn::Padding;
using hpcnn::Percent;
using hpcnn::Reshape;
using hpcnn::Shape;
using hpcnn::Slice;
using hpcnn::Stride;

// The input shapes that a layer is checked with.
template <class Layer>
struct GradientCases {
  static_assert(sizeof(Layer) == 0,
                "this layer is never checked: specialise GradientCases for it");
};

// Lengths that leave every rest in a vector; no squares.
template <class... More>
using FlatShapesAnd =
    std::tuple<Shape<1>, Shape<2>, Shape<3>, Shape<4>, Shape<5>, Shape<6>,
               Shape<7>, Shape<8>, Shape<9>, Shape<11>, Shape<13>, Shape<15>,
               Shape<16>, Shape<17>, Shape<19>, Shape<37>, More...>;
using FlatShapes =
    FlatShapesAnd<Shape<10>, Shape<12>, Shape<23>, Shape<32>, Shape<33>>;
using AnyShapes = FlatShapesAnd<Shape<3, 5>, Shape<2, 9>, Shape<1, 1, 1>,
                                Shape<2, 3, 7>, Shape<2, 2, 1, 5>>;

template <>
struct GradientCases<hpcnn::Relu> : AnyShapes {};
template <class Slope>
struct GradientCases<LeakyRelu<Slope>> : AnyShapes {};
template <class Alpha>
struct GradientCases<Elu<Alpha>> : AnyShapes {};
template <>
struct GradientCases<hpcnn::Gelu> : AnyShapes {};
template <>
struct GradientCases<hpcnn::Sigmoid> : AnyShapes {};
template <>
struct GradientCases<hpcnn::Tanh> : AnyShapes {};
template <>
struct GradientCases<hpcnn::Softmax> : FlatShapes {};
template <>
struct GradientCases<hpcnn::Flatten> : AnyShapes {};
template <std::size_t... Dims>
struct GradientCases<Reshape<Dims...>>
    : std::tuple<Shape<60>, Shape<1, 60>, Shape<2, 30>, Shape<3, 20>,
                 Shape<4, 15>, Shape<5, 12>, Shape<3, 4, 5>, Shape<2, 5, 6>,
                 Shape<1, 6, 10>, Shape<2, 3, 2, 5>> {};
template <std::size_t First, std::size_t... Dims>
struct GradientCases<Slice<First, Dims...>>
    : std::tuple<Shape<7>, Shape<8>, Shape<9>, Shape<16>, Shape<17>,
                 Shape<3, 5>, Shape<2, 9>, Shape<1, 1, 7>, Shape<2, 3, 7>,
                 Shape<2, 2, 1, 5>> {};
template <class Probability>
struct GradientCases<Dropout<Probability>> : AnyShapes {};
template <>
struct GradientCases<hpcnn::LayerNorm> : AnyShapes {};
template <>
struct GradientCases<hpcnn::BatchNorm> : AnyShapes {};
template <>
struct GradientCases<hpcnn::FrozenBatchNorm> : AnyShapes {};

// Times four kinds of each that follow.
using DenseShapes =
    std::tuple<Shape<1>, Shape<2>, Shape<5>, Shape<16>, Shape<37>>;
template <std::size_t Outputs, class Init>
struct GradientCases<Dense<Outputs, Init>> : DenseShapes {};

// Rows and columns from what a kernel of 3 x 2 needs to more than a vector; all
// steps that occur are whole.
using ImageShapes = std::tuple<Shape<1, 3, 2>, Shape<2, 5, 4>, Shape<3, 3, 10>,
                               Shape<1, 7, 18>, Shape<2, 9, 6>>;
template <std::size_t Kernels, std::size_t Rows, std::size_t Cols, class Steps,
          class Pads>
struct GradientCases<Conv2d<Kernels, Rows, Cols, Steps, Pads>> : ImageShapes {};
template <std::size_t Rows, std::size_t Cols, class Steps, class Pads>
struct GradientCases<DepthwiseConv2d<Rows, Cols, Steps, Pads>> : ImageShapes {};
template <>
struct GradientCases<MaxPool<3, 2, Stride<1>>> : ImageShapes {};
template <>
struct GradientCases<AvgPool<3, 2, Stride<1>>> : ImageShapes {};
template <>
struct GradientCases<hpcnn::GlobalAvgPool>
    : std::tuple<Shape<1, 1, 1>, Shape<1, 1, 2>, Shape<1, 2, 1>, Shape<2, 1, 3>,
                 Shape<2, 3, 1>, Shape<3, 1, 1>, Shape<5, 1, 2>, Shape<1, 2, 3>,
                 Shape<1, 3, 4>, Shape<2, 2, 5>, Shape<2, 3, 3>, Shape<3, 2, 4>,
                 Shape<3, 3, 2>, Shape<4, 2, 2>, Shape<1, 4, 5>, Shape<1, 3, 7>,
                 Shape<1, 1, 17>, Shape<2, 1, 9>, Shape<1, 5, 4>,
                 Shape<7, 1, 3>> {};

// Both sides even.
using EvenShapes = std::tuple<Shape<1, 2, 2>, Shape<2, 4, 6>, Shape<3, 2, 10>,
                              Shape<1, 6, 18>, Shape<2, 8, 4>>;
template <std::size_t Rows, std::size_t Cols, class Steps>
struct GradientCases<MaxPool<Rows, Cols, Steps>> : EvenShapes {};
template <std::size_t Rows, std::size_t Cols, class Steps>
struct GradientCases<AvgPool<Rows, Cols, Steps>> : EvenShapes {};

using ElementLayers =
    ::testing::Types<hpcnn::Relu, LeakyRelu<>, LeakyRelu<std::ratio<2, 3>>,
                     Elu<>, Elu<Percent<30>>, hpcnn::Gelu, hpcnn::Sigmoid,
                     hpcnn::Tanh, hpcnn::Flatten, Reshape<3, 20>, Reshape<60>,
                     Slice<1, 2, 3>, Slice<0, 5>, Dropout<Percent<20>>,
                     Dropout<Percent<0>>, Dense<1>, Dense<3>, Dense<19>,
                     Dense<4, hpcnn::Zeros>>;
using ConvLayers = ::testing::Types<
    Conv2d<3, 3, 2>, Conv2d<3, 3, 2, Stride<1>, Padding<2, 1>>,
    Conv2d<3, 3, 2, Stride<2>, Padding<1, 0>>, Conv2d<2, 1, 1>,
    DepthwiseConv2d<3, 2>, DepthwiseConv2d<3, 2, Stride<1>, Padding<2, 1>>,
    DepthwiseConv2d<3, 2, Stride<2>, Padding<1, 0>>, DepthwiseConv2d<1, 1>>;
using ReductionLayers =
    ::testing::Types<MaxPool<2>, MaxPool<2, 1>, MaxPool<3, 2, Stride<1>>,
                     MaxPool<1, 2, Stride<1, 2>>, AvgPool<2>, AvgPool<2, 1>,
                     AvgPool<3, 2, Stride<1>>, AvgPool<1, 2, Stride<1, 2>>,
                     hpcnn::GlobalAvgPool, hpcnn::BatchNorm,
                     hpcnn::FrozenBatchNorm, hpcnn::LayerNorm, hpcnn::Softmax>;

// Calls check.operator()<S>() for each Shape of the tuple.
template <class... S, class F>
void ForEachShape(const std::tuple<S...>&, const F& check) {
  (check.template operator()<S>(), ...);
}

// The check: every case of a layer, in batches of one, some and odd numbers.
template <class Layer>
void ExpectGradientsOfDifferences() {
  ForEachShape(GradientCases<Layer>{}, []<class S>() {
    using L = typename Layer::template On<S>;
    for (const std::size_t batch : {1u, 4u, 5u}) {
      SCOPED_TRACE(testing::Message()
                   << Layer::kName << " on " << testing::PrintToString(S::kDims)
                   << ", batch " << batch);
      const auto check = [&]<class P>(P) {
        const auto errors = hpcnn::CheckLayerGradients<P, L>(batch);
        EXPECT_LE(errors.input, hpcnn::kGradientTolerance) << P::kName;
        EXPECT_LE(errors.parameters, hpcnn::kGradientTolerance) << P::kName;
      };
      check(hpcnn::Scalar());
      check(hpcnn::Simd());
    }
  });
}

}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_NN_GRADIENT_CASES_H_
