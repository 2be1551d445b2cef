// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Predictor: one sample at a time through a trained network, with all memory
// inside the object: no heap, no threads. Not for throughput: a batch at a time
// through Trainer::Forward is several times faster.

#ifndef HPCNN_TRAIN_PREDICTOR_H_
#define HPCNN_TRAIN_PREDICTOR_H_

#include <array>
#include <cstddef>
#include <span>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/workspace.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN

template <class Net, ExecutionPolicy P = DefaultPolicy>
class Predictor {
 public:
  static constexpr std::size_t kInputs = Net::InputShape::kVolume;
  static constexpr std::size_t kOutputs = Net::OutputShape::kVolume;

  // `parameters` must outlive the predictor.
  explicit Predictor(std::span<const float, Net::kParameterCount> parameters)
      : parameters_(parameters) {}

  // The outputs for one sample, valid until the next call.
  std::span<const float> Outputs(std::span<const float, kInputs> sample) {
    Activations workspace(memory_, 1);
    workspace.template Forward<P>(
        parameters_, MatrixView<const float>(sample.data(), 1, kInputs), {0, 1},
        scratch_);
    return {workspace.Logits({0, 1}).data(), kOutputs};
  }

  // The class with the largest output.
  std::size_t Predict(std::span<const float, kInputs> sample) {
    return ArgMax(Outputs(sample));
  }

 private:
  using Activations = Workspace<Inference<Net>, float>;

  std::span<const float> parameters_;
  alignas(64) std::array<float, Activations::ForwardElements(1)> memory_{};
  alignas(64) std::array<float, Inference<Net>::kScratch> scratch_{};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_PREDICTOR_H_
