// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What counts as a layer, and which shapes follow each other.

#include "hpcnn/nn/layer.h"

#include <cstddef>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/depthwise_conv2d.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/layer_norm.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/softmax.h"

namespace hpcnn {
namespace {

static_assert(LayerDescription<Relu> && LayerDescription<Dense<3>>);
static_assert(!LayerDescription<int>);
static_assert(!LayerDescription<Relu::On<Shape<3>>>, "already bound");
static_assert(!LayerDescription<Input<3>>, "the head is no layer");

static_assert(BoundLayer<Dense<3>::On<Shape<5>>>);
static_assert(BoundLayer<Relu::On<Shape<2, 3>>>);
static_assert(BoundLayer<Sigmoid::On<Shape<2, 3>>>);
static_assert(BoundLayer<Tanh::On<Shape<2, 3>>>);
static_assert(BoundLayer<Softmax::On<Shape<4>>>);
static_assert(BoundLayer<Flatten::On<Shape<2, 3>>>);
static_assert(BoundLayer<LeakyRelu<>::On<Shape<2, 3>>>);
static_assert(BoundLayer<Elu<>::On<Shape<2, 3>>>);
static_assert(BoundLayer<Gelu::On<Shape<2, 3>>>);
static_assert(BoundLayer<Reshape<6>::On<Shape<2, 3>>>);
static_assert(BoundLayer<Conv2d<4, 2, 3>::On<Shape<1, 2, 3>>>);
static_assert(BoundLayer<DepthwiseConv2d<2, 3>::On<Shape<1, 2, 3>>>);
static_assert(BoundLayer<MaxPool<2>::On<Shape<1, 2, 4>>>);
static_assert(BoundLayer<LayerNorm::On<Shape<2, 3>>>);
static_assert(BoundLayer<Dropout<Percent<20>>::On<Shape<2, 3>>>);
static_assert(!BoundLayer<ParameterFree<Shape<1>, Shape<1>>>, "cannot run");

static_assert(NetworkInput<Input<1, 28, 28>> && !NetworkInput<Relu>);

template <class Got, class Want>
inline constexpr bool kFollows =
    kShapesChain<AtLayer<0>, Produces<Got>, Expects<Want>>;
static_assert(kFollows<Shape<2, 3>, Shape<2, 3>>);
static_assert(kFollows<Shape<2, 3>, AnyShape>);
static_assert(kFollows<Shape<6>, FlatShape>);
static_assert(!kFollows<Shape<2, 3>, FlatShape>);
static_assert(!kFollows<Shape<2, 3>, Shape<3, 2>>);
static_assert(!kFollows<Shape<6>, Shape<2, 3>>, "not even of equal volume");
static_assert(kFollows<Shape<2, 3>, Elements<6>>);
static_assert(!kFollows<Shape<2, 3>, Elements<5>>);
static_assert(kFollows<Shape<1, 2, 3>, ImageShape>);
static_assert(!kFollows<Shape<2, 3>, ImageShape>);

// A layer of a user's own, in a network.
struct Double {
  static constexpr const char* kName = "Double";
  template <ShapeType In>
  struct On : ParameterFree<In, In> {
    using Expects = AnyShape;
    static constexpr std::size_t kForwardFlops = In::kVolume;
    static constexpr bool kInPlace = true;
    static constexpr bool kKeepsOutput = false;
    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      Twice(pass.x, pass.y);
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      Twice(pass.d_y, pass.d_x);
    }

   private:
    template <class T>
    static void Twice(MatrixView<const T> x, MatrixView<T> y) {
      for (std::size_t n = 0; n < x.rows(); ++n) {
        for (std::size_t i = 0; i < x.cols(); ++i) y(n, i) = 2 * x(n, i);
      }
    }
  };
};

// It keeps no output, so Relu may overwrite its.
using Net = Sequential<Input<3>, Dense<4>, Double, Relu, Dense<2>>;
static_assert(Net::kActivations == 4 + 2);

TEST(LayerTest, AUsersLayerWorksInANetwork) {
  EXPECT_EQ(Net::kParameterCount, 3u * 4 + 4 + 4 * 2 + 2);
}

}  // namespace
}  // namespace hpcnn
