// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Layers, losses and training steps against PyTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/binary_cross_entropy.h"
#include "hpcnn/loss/mean_absolute_error.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/batch_norm.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/depthwise_conv2d.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/nn/layer_norm.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/softmax.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/train/trainer.h"
#include "tests/nn/torch_fixtures.h"

namespace hpcnn {
namespace {

template <class P>
class TorchTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(TorchTest, Policies);

void ExpectClose(std::span<const float> actual, std::span<const float> expected,
                 const char* what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i],
                1e-5 * std::max(1.0f, std::abs(expected[i])))
        << what << ", element " << i;
  }
}

// Not a number until it is written.
std::vector<float> Unwritten(std::size_t size) {
  return std::vector<float>(size, std::numeric_limits<float>::quiet_NaN());
}

template <class P, class Layer, class In, std::size_t Params, std::size_t X,
          std::size_t Y>
void ExpectLayer(const fixtures::LayerFixture<Params, X, Y>& torch) {
  using L = typename Layer::template On<In>;
  static_assert(L::kParameterRows * L::kRowSize == Params);
  constexpr std::size_t kIn = L::Input::kVolume, kOut = L::Output::kVolume;
  constexpr std::size_t kBatch = X / kIn;
  static_assert(X == kBatch * kIn && Y == kBatch * kOut);
  const MatrixView<const float> x(torch.x.data(), kBatch, kIn);
  const MatrixView<const float> d_y(torch.d_y.data(), kBatch, kOut);
  std::vector<float> y = Unwritten(Y), d_x = Unwritten(X),
                     d_params = Unwritten(Params),
                     scratch = Unwritten(internal::Scratch<L>()),
                     statistics = Unwritten(internal::Statistics<L>());
  const MatrixView<float> y_view(y.data(), kBatch, kOut);

  if constexpr (internal::Statistics<L>() > 0) {
    L::template Measure<P>(
        MeasurePass<float>{x, d_y, {0, L::kChannels}, statistics});
  }
  L::template Forward<P>(
      ForwardPass<float>{torch.params, x, y_view, scratch, {}, statistics});
  ExpectClose(y, torch.y, "y");

  if constexpr (internal::Statistics<L>() > 0) {
    L::template MeasureBack<P>(
        MeasurePass<float>{x, d_y, {0, L::kChannels}, statistics});
  }
  L::template BackwardInput<P>(
      BackwardPass<float>{torch.params,
                          x,
                          y_view,
                          d_y,
                          MatrixView<float>(d_x.data(), kBatch, kIn),
                          scratch,
                          {},
                          statistics});
  ExpectClose(d_x, torch.d_x, "d_x");

  if constexpr (constexpr std::size_t kRows = internal::TrainedRows<L>();
                kRows > 0) {
    const std::span<float> trained =
        std::span(d_params).first(kRows * L::kRowSize);
    L::template BackwardParameters<P>(
        ParameterPass<float>{x, d_y, {0, kRows}, trained, scratch, statistics});
    ExpectClose(trained, std::span(torch.d_params).first(trained.size()),
                "d_params");
  }
}

TYPED_TEST(TorchTest, Dense) {
  ExpectLayer<TypeParam, Dense<19>, Shape<7>>(fixtures::kDense);
}

TYPED_TEST(TorchTest, Conv2d) {
  ExpectLayer<TypeParam, Conv2d<3, 3, 2>, Shape<2, 4, 13>>(fixtures::kConv2d);
  ExpectLayer<TypeParam, Conv2d<5, 1, 1>, Shape<3, 2, 3>>(
      fixtures::kConv2dOfPixels);
  ExpectLayer<TypeParam, Conv2d<3, 3, 2, Stride<1>, Padding<2, 1>>,
              Shape<2, 3, 5>>(fixtures::kConv2dPadded);
  ExpectLayer<TypeParam, Conv2d<3, 3, 2, Stride<2, 3>, Padding<1, 0>>,
              Shape<2, 5, 8>>(fixtures::kConv2dStrided);
}

TYPED_TEST(TorchTest, DepthwiseConv2d) {
  ExpectLayer<TypeParam, DepthwiseConv2d<3, 2>, Shape<2, 4, 13>>(
      fixtures::kDepthwiseConv2d);
  ExpectLayer<TypeParam, DepthwiseConv2d<3, 2, Stride<1>, Padding<2, 1>>,
              Shape<3, 3, 5>>(fixtures::kDepthwiseConv2dPadded);
  ExpectLayer<TypeParam, DepthwiseConv2d<3, 2, Stride<2, 3>, Padding<1, 0>>,
              Shape<3, 5, 8>>(fixtures::kDepthwiseConv2dStrided);
}

TYPED_TEST(TorchTest, MaxPool) {
  ExpectLayer<TypeParam, MaxPool<2>, Shape<1, 4, 20>>(fixtures::kMaxPool);
  ExpectLayer<TypeParam, MaxPool<3, 2, Stride<1>>, Shape<2, 4, 5>>(
      fixtures::kMaxPoolOverlapping);
}

TYPED_TEST(TorchTest, AvgPool) {
  ExpectLayer<TypeParam, AvgPool<2>, Shape<1, 4, 20>>(fixtures::kAvgPool);
  ExpectLayer<TypeParam, AvgPool<3, 2, Stride<1>>, Shape<2, 4, 5>>(
      fixtures::kAvgPoolOverlapping);
}

TYPED_TEST(TorchTest, GlobalAvgPool) {
  ExpectLayer<TypeParam, GlobalAvgPool, Shape<3, 2, 5>>(
      fixtures::kGlobalAvgPool);
}

TYPED_TEST(TorchTest, LayerNorm) {
  ExpectLayer<TypeParam, LayerNorm, Shape<2, 3, 7>>(fixtures::kLayerNorm);
}

TYPED_TEST(TorchTest, BatchNorm) {
  ExpectLayer<TypeParam, BatchNorm, Shape<3, 2, 5>>(fixtures::kBatchNorm);
  ExpectLayer<TypeParam, BatchNorm, Shape<19>>(fixtures::kBatchNormOfVectors);
  ExpectLayer<TypeParam, FrozenBatchNorm, Shape<3, 2, 5>>(
      fixtures::kFrozenBatchNorm);
  ExpectLayer<TypeParam, FrozenBatchNorm, Shape<19>>(
      fixtures::kFrozenBatchNormOfVectors);
}

TYPED_TEST(TorchTest, Activations) {
  using S = Shape<3, 7>;
  ExpectLayer<TypeParam, Relu, S>(fixtures::kRelu);
  ExpectLayer<TypeParam, LeakyRelu<>, S>(fixtures::kLeakyRelu);
  ExpectLayer<TypeParam, LeakyRelu<Percent<30>>, S>(fixtures::kLeakyReluOf30);
  ExpectLayer<TypeParam, Elu<>, S>(fixtures::kElu);
  ExpectLayer<TypeParam, Elu<Percent<30>>, S>(fixtures::kEluOf30);
  ExpectLayer<TypeParam, Gelu, S>(fixtures::kGelu);
  ExpectLayer<TypeParam, Sigmoid, S>(fixtures::kSigmoid);
  ExpectLayer<TypeParam, Tanh, S>(fixtures::kTanh);
}

TYPED_TEST(TorchTest, Softmax) {
  ExpectLayer<TypeParam, Softmax, Shape<19>>(fixtures::kSoftmax);
}

// Targets as losses take them: labels, or a row a sample.
std::span<const std::uint8_t> TargetsOf(std::span<const std::uint8_t> labels,
                                        std::size_t) {
  return labels;
}
MatrixView<const float> TargetsOf(std::span<const float> values,
                                  std::size_t batch) {
  return {values.data(), batch, values.size() / batch};
}

template <class P, class LossType, class Targets, std::size_t N, std::size_t In>
void ExpectLoss(const fixtures::LossFixture<Targets, N, In>& torch) {
  std::vector<float> d_x = Unwritten(In), losses = Unwritten(N);
  LossType::template Evaluate<P>(
      MatrixView<const float>(torch.x.data(), N, In / N),
      TargetsOf(torch.targets, N), 0, 1.0f / N,
      MatrixView<float>(d_x.data(), N, In / N), std::span(losses));
  ExpectClose(losses, torch.losses, "losses");
  ExpectClose(d_x, torch.d_x, "d_x");
}

TYPED_TEST(TorchTest, SoftmaxCrossEntropy) {
  ExpectLoss<TypeParam, SoftmaxCrossEntropy>(fixtures::kSoftmaxCrossEntropy);
}

TYPED_TEST(TorchTest, BinaryCrossEntropy) {
  ExpectLoss<TypeParam, BinaryCrossEntropy>(fixtures::kBinaryCrossEntropy);
}

TYPED_TEST(TorchTest, MeanSquaredError) {
  ExpectLoss<TypeParam, MeanSquaredError>(fixtures::kMeanSquaredError);
}

TYPED_TEST(TorchTest, MeanAbsoluteError) {
  ExpectLoss<TypeParam, MeanAbsoluteError>(fixtures::kMeanAbsoluteError);
}

template <class P, class Net, class LossType, class Rule, class Targets,
          std::size_t Steps, std::size_t In, std::size_t Params>
void ExpectTraining(
    const Rule& rule,
    const fixtures::TrainingFixture<Targets, Steps, In, Params>& torch) {
  static_assert(Net::kParameterCount == Params);
  constexpr std::size_t kIn = Net::InputShape::kVolume;
  constexpr std::size_t kBatch = In / kIn;
  const MatrixView<const float> x(torch.x.data(), kBatch, kIn);
  ThreadPool pool(2);
  Trainer<Net, LossType, Rule, P> trainer(pool, kBatch, rule, 1);
  std::copy_n(torch.params.begin(), Params,
              trainer.mutable_parameters().begin());
  for (std::size_t step = 0; step < Steps; ++step) {
    SCOPED_TRACE(testing::Message() << "step " << step);
    const float loss =
        trainer.Step(x, TargetsOf(torch.targets, kBatch), torch.rates[step]);
    ExpectClose({&loss, 1}, {&torch.losses[step], 1}, "loss");
    ExpectClose(trainer.parameters(),
                std::span(torch.weights).subspan(step * Params, Params),
                "weights");
  }
}

TYPED_TEST(TorchTest, MlpByMomentum) {
  ExpectTraining<TypeParam, MlpOf<Tanh, 6, 7, 5>, SoftmaxCrossEntropy>(
      Momentum{.momentum = 0.9f, .weight_decay = 0.03f},
      fixtures::kMlpByMomentum);
}

TYPED_TEST(TorchTest, LeNetByAdam) {
  using Net = Sequential<Input<1, 8, 8>, Conv2d<3, 3, 3>, Relu, MaxPool<2>,
                         Flatten, Dense<5>>;
  ExpectTraining<TypeParam, Net, SoftmaxCrossEntropy>(
      Adam{.weight_decay = 0.03f}, fixtures::kLeNetByAdam);
}

TYPED_TEST(TorchTest, DepthwiseByAdamW) {
  using Net = Sequential<Input<2, 5, 4>, DepthwiseConv2d<2, 3>, LayerNorm, Gelu,
                         Flatten, Dense<5>>;
  ExpectTraining<TypeParam, Net, MeanSquaredError>(AdamW{.weight_decay = 0.03f},
                                                   fixtures::kDepthwiseByAdamW);
}

// Of the weights, some are the running statistics.
TYPED_TEST(TorchTest, BatchNormByMomentum) {
  using Net = Sequential<Input<2, 5, 4>, Conv2d<3, 2, 3>, BatchNorm, Relu,
                         Flatten, Dense<7>, BatchNorm, Tanh, Dense<5>>;
  ExpectTraining<TypeParam, Net, SoftmaxCrossEntropy>(
      Momentum{.momentum = 0.9f, .weight_decay = 0.03f},
      fixtures::kBatchNormByMomentum);
}

}  // namespace
}  // namespace hpcnn
