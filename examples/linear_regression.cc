// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A single neuron finds the line through noisy points, beside the formula's
// answer.
//
//   bazel run //examples:linear_regression

#include <cstddef>
#include <cstdio>
#include <vector>

#include "hpcnn/hpcnn.h"

using Neuron = hpcnn::Sequential<hpcnn::Input<1>, hpcnn::Dense<1>>;
static_assert(Neuron::kParameterCount == 2);  // slope, intercept

int main() {
  constexpr std::size_t kPoints = 200;
  constexpr double kSlope = 3, kIntercept = -0.5;
  hpcnn::RandomStream random({.seed = 1});
  std::vector<float> x, y;
  for (std::size_t i = 0; i < kPoints; ++i) {
    x.push_back(random.Uniform(-1, 1));
    const float noise = random.Uniform(-0.5f, 0.5f);
    y.push_back(static_cast<float>(kSlope * x[i] + kIntercept) + noise);
  }

  // Gradient descent on all points at once. Fit is for labelled images; with
  // numbers as targets the loop is this one.
  hpcnn::ThreadPool pool(1);
  hpcnn::Trainer<Neuron, hpcnn::MeanSquaredError, hpcnn::Sgd> trainer(
      pool, kPoints, hpcnn::Sgd{}, /*seed=*/1);
  const hpcnn::MatrixView<const float> inputs(x.data(), kPoints, 1);
  const hpcnn::MatrixView<const float> targets(y.data(), kPoints, 1);
  for (int step = 0; step < 200; ++step) {
    trainer.Step(inputs, targets, /*rate=*/0.2f);
  }

  // Least squares: slope = cov(x, y) / var(x).
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (std::size_t i = 0; i < kPoints; ++i) {
    sum_x += x[i];
    sum_y += y[i];
    sum_xx += double{x[i]} * x[i];
    sum_xy += double{x[i]} * y[i];
  }
  const double slope =
      (kPoints * sum_xy - sum_x * sum_y) / (kPoints * sum_xx - sum_x * sum_x);
  const double intercept = (sum_y - slope * sum_x) / kPoints;

  std::printf("%-14s %8s %10s\n", "", "slope", "intercept");
  std::printf("%-14s %8.4f %10.4f\n", "drawn around", kSlope, kIntercept);
  std::printf("%-14s %8.4f %10.4f\n", "least squares", slope, intercept);
  std::printf("%-14s %8.4f %10.4f\n", "trained",
              static_cast<double>(trainer.parameters()[0]),
              static_cast<double>(trainer.parameters()[1]));
}
