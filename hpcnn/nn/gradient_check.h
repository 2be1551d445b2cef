// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Finite-difference gradient checks of layers, losses and networks, in double.
// For tests, your own layers' too:
//
//   const auto errors = CheckLayerGradients<Simd, MyLayer::On<Shape<2, 3>>>();
//   EXPECT_LE(errors.Worst(), kGradientTolerance);
//
// The scalar f is a random linear functional of the outputs, or the mean loss.
//   df/dx ~ (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h
// errs by O(h^4). The error of a tensor is the largest |analytic - numeric|
// over its largest |gradient| (at least 1e-3), infinite where an output was not
// written. Values are drawn again while a kink is within ten steps.

#ifndef HPCNN_NN_GRADIENT_CHECK_H_
#define HPCNN_NN_GRADIENT_CHECK_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/workspace.h"

HPCNN_NAMESPACE_BEGIN

inline constexpr double kGradientTolerance = 1e-7;

// Relative errors, see above; of a network, parameters is the worst layer's.
struct GradientErrors {
  double input = 0;
  double parameters = 0;
  double Worst() const { return std::max(input, parameters); }
};

namespace internal {

// Rounding, about 1e-16 / h, and the formula's error, about h^4, are both far
// below the tolerance, even at five steps. A power of two, so that x + h is
// exact.
inline constexpr double kGradientStep = 0x1p-13;
inline constexpr double kSmallestGradient = 1e-3;
inline constexpr std::uint32_t kGradientDraws = 100;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
// What an output holds until it is written.
inline constexpr double kUnwritten = std::numeric_limits<double>::quiet_NaN();

inline std::vector<double> RandomValues(RandomStream& stream,
                                        std::size_t size) {
  std::vector<double> values(size);
  for (double& v : values) v = stream.Uniform(-1, 1);
  return values;
}

// Away from initial values such as 0, which hide mistakes.
inline void Perturb(RandomStream& stream, std::span<double> params) {
  for (double& p : params) p += stream.Uniform(-0.1f, 0.1f);
}

inline double Largest(std::span<const double> gradient) {
  double largest = kSmallestGradient;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  return largest;
}

inline double GradientError(std::span<const double> analytic,
                            std::span<const double> numeric) {
  double worst = 0;
  for (std::size_t i = 0; i < numeric.size(); ++i) {
    const double error = std::abs(analytic[i] - numeric[i]);
    worst = std::max(worst, std::isnan(error) ? kInfinity : error);
  }
  return worst / Largest(numeric);
}

// d/dx of the sum over i of weights[i] * y[i]; evaluate(y) computes all y. The
// outputs are subtracted before they are summed, so that those which do not
// depend on x add no rounding.
template <class F>
double Derivative(double& x, double step, std::span<const double> weights,
                  const F& evaluate) {
  const double origin = x;
  std::vector<double> y(weights.size());
  std::vector<double> change(weights.size());
  for (const auto& [steps, factor] :
       {std::pair{1, 8}, {-1, -8}, {2, -1}, {-2, 1}}) {
    x = origin + steps * step;
    std::fill(y.begin(), y.end(), kUnwritten);
    evaluate(std::span(y));
    for (std::size_t i = 0; i < y.size(); ++i) change[i] += factor * y[i];
  }
  x = origin;
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += weights[i] * change[i];
  return sum / (12 * step);
}

// The derivative by each element of x; nothing when a kink is within ten steps
// of one: there the formula with five times the step, which reaches as far,
// gives another value.
template <class F>
std::optional<std::vector<double>> NumericGradient(
    std::span<double> x, std::span<const double> weights, const F& evaluate) {
  std::vector<double> gradient;
  double kink = 0;
  for (double& value : x) {
    const double wide = Derivative(value, 5 * kGradientStep, weights, evaluate);
    gradient.push_back(Derivative(value, kGradientStep, weights, evaluate));
    kink = std::max(kink, std::abs(gradient.back() - wide));
  }
  if (kink > kGradientTolerance / 10 * Largest(gradient)) return std::nullopt;
  return gradient;
}

// The errors at the first values drawn that are away from every kink;
// check(stream) returns nothing when its are not.
template <class F>
GradientErrors FirstSmooth(std::uint64_t seed, const F& check) {
  for (std::uint32_t draw = 0; draw < kGradientDraws; ++draw) {
    RandomStream stream({.seed = seed, .epoch = draw});
    const std::optional<GradientErrors> errors = check(stream);
    if (errors) return *errors;
  }
  return {kInfinity, kInfinity};
}

// Calls f with the two halves of [0, size): what is split must give the same.
template <class F>
void ForBothHalves(std::size_t size, const F& f) {
  f(Partition(size, 0, 2));
  f(Partition(size, 1, 2));
}

// A bound layer as numbers and functions, so that the check is compiled once
// and not for each layer and shape.
struct LayerUnderCheck {
  std::size_t inputs;
  std::size_t outputs;
  std::size_t parameter_rows;
  std::size_t trained_rows;
  std::size_t row_size;
  std::size_t scratch;
  std::size_t statistics;
  std::size_t channels;
  bool in_place;
  bool reads_input;
  bool keeps_output;
  void (*initialise)(std::span<double>, RandomStream&);
  void (*forward)(const ForwardPass<double>&);
  void (*backward_input)(const BackwardPass<double>&);
  void (*backward_parameters)(const ParameterPass<double>&);
  void (*measure)(const MeasurePass<double>&, bool back);
};

template <ExecutionPolicy P, class L>
LayerUnderCheck UnderCheck() {
  constexpr std::size_t kChannels = [] {
    if constexpr (Statistics<L>() > 0) return L::kChannels;
    return std::size_t{0};
  }();
  return {L::Input::kVolume,
          L::Output::kVolume,
          L::kParameterRows,
          TrainedRows<L>(),
          L::kRowSize,
          Scratch<L>(),
          Statistics<L>(),
          kChannels,
          L::kInPlace,
          ReadsInput<L>(),
          KeepsOutput<L>(),
          [](std::span<double> params, RandomStream& stream) {
            L::Initialise(params, stream);
          },
          [](const ForwardPass<double>& pass) { L::template Forward<P>(pass); },
          [](const BackwardPass<double>& pass) {
            L::template BackwardInput<P>(pass);
          },
          [](const ParameterPass<double>& pass) {
            if constexpr (TrainedRows<L>() > 0) {
              L::template BackwardParameters<P>(pass);
            }
          },
          [](const MeasurePass<double>& pass, bool back) {
            if constexpr (Statistics<L>() > 0) {
              if (back) {
                L::template MeasureBack<P>(pass);
              } else {
                L::template Measure<P>(pass);
              }
            }
          }};
}

// The statistics of a batch, on the way forward or back.
inline void Measure(const LayerUnderCheck& layer, bool back,
                    MatrixView<const double> x, MatrixView<const double> d_y,
                    std::span<double> statistics) {
  ForBothHalves(layer.channels, [&](IndexRange channels) {
    layer.measure({x, d_y, channels, statistics}, back);
  });
}

// What BackwardInput makes of d_y. Works in place where networks do.
inline std::vector<double> InputGradient(const LayerUnderCheck& layer,
                                         std::span<const double> params,
                                         std::vector<double> x,
                                         std::vector<double> d_y,
                                         std::size_t batch) {
  std::vector<double> y(d_y.size(), kUnwritten);
  std::vector<double> d_x(x.size(), kUnwritten);
  const MatrixView<double> out(layer.in_place ? x.data() : y.data(), batch,
                               layer.outputs);
  const MatrixView<double> d_in(layer.in_place ? d_y.data() : d_x.data(), batch,
                                layer.inputs);
  std::vector<double> scratch(layer.scratch, kUnwritten);
  std::vector<double> statistics(layer.statistics, kUnwritten);
  const MatrixView<const double> in(x.data(), batch, layer.inputs);
  const MatrixView<const double> d_out(d_y.data(), batch, layer.outputs);
  Measure(layer, false, in, d_out, statistics);
  layer.forward({params, in, out, scratch, {}, statistics});
  if (!layer.keeps_output) std::fill_n(out.data(), d_y.size(), kUnwritten);
  if (!layer.reads_input && !layer.in_place) {
    std::fill(x.begin(), x.end(), kUnwritten);
  }
  Measure(layer, true, in, d_out, statistics);
  layer.backward_input({params, in, out, d_out, d_in, scratch, {}, statistics});
  return {d_in.data(), d_in.data() + batch * layer.inputs};
}

// What backward(rows, d_params) writes, in two calls.
template <class F>
std::vector<double> ParameterGradient(std::size_t rows, std::size_t row_size,
                                      const F& backward) {
  std::vector<double> d_params(rows * row_size, kUnwritten);
  if (rows == 0) return d_params;
  ForBothHalves(rows, [&](IndexRange half) {
    backward(half, std::span(d_params).subspan(half.begin * row_size,
                                               half.size() * row_size));
  });
  return d_params;
}

inline GradientErrors Check(const LayerUnderCheck& layer, std::size_t batch,
                            std::uint64_t seed) {
  return FirstSmooth(
      seed, [&](RandomStream& stream) -> std::optional<GradientErrors> {
        auto x = RandomValues(stream, batch * layer.inputs);
        auto d_y = RandomValues(stream, batch * layer.outputs);
        std::vector<double> params(layer.parameter_rows * layer.row_size);
        std::vector<double> scratch(layer.scratch);
        std::vector<double> statistics(layer.statistics, kUnwritten);
        layer.initialise(params, stream);
        Perturb(stream, params);
        const MatrixView<const double> x_view(x.data(), batch, layer.inputs);
        const MatrixView<const double> d_y_view(d_y.data(), batch,
                                                layer.outputs);

        const auto forward = [&](std::span<double> y) {
          Measure(layer, false, x_view, d_y_view, statistics);
          layer.forward({params,
                         x_view,
                         MatrixView<double>(y.data(), batch, layer.outputs),
                         scratch,
                         {},
                         statistics});
        };
        const std::span<double> trained =
            std::span(params).first(layer.trained_rows * layer.row_size);
        const auto d_x = NumericGradient(x, d_y, forward);
        const auto d_params = NumericGradient(trained, d_y, forward);
        if (!d_x || !d_params) return std::nullopt;
        Measure(layer, false, x_view, d_y_view, statistics);
        Measure(layer, true, x_view, d_y_view, statistics);
        const auto backward = [&](IndexRange rows, std::span<double> out) {
          layer.backward_parameters(
              {x_view, d_y_view, rows, out, scratch, statistics,
               std::span<const double>(params).subspan(
                   rows.begin * layer.row_size, rows.size() * layer.row_size)});
        };
        return GradientErrors{
            GradientError(InputGradient(layer, params, x, d_y, batch), *d_x),
            GradientError(
                ParameterGradient(layer.trained_rows, layer.row_size, backward),
                *d_params)};
      });
}

// A network, a batch and its loss.
template <ExecutionPolicy P, class Net, class LossType>
class NetworkGradients {
 public:
  using Targets = typename LossType::template Targets<double>;

  // One workspace for more samples than there are: the batch is a short one.
  NetworkGradients(Targets targets, std::size_t samples, RandomStream& stream)
      : targets_(targets),
        samples_(samples),
        x_(RandomValues(stream, samples * Net::InputShape::kVolume)),
        params_(Net::kParameterCount),
        memory_(Workspace<Net, double>::TrainingElements(samples + 2)),
        workspace_(memory_, samples + 2),
        scratch_(Net::kScratch) {
    Net::Initialise(stream.Bits(), std::span(params_));
    Perturb(stream, params_);
  }

  std::optional<GradientErrors> Errors() {
    const std::vector<double> weights(samples_, Scale());
    const auto numeric = NumericGradient(
        params_, weights, [&](std::span<double> losses) { Walk(losses); });
    if (!numeric) return std::nullopt;

    std::vector<double> losses(samples_);
    Walk(losses);
    GradientErrors errors;
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      using L = typename Net::template LayerAt<I>;
      constexpr std::size_t kRows = Net::kOwners[I] == I ? TrainedRows<L>() : 0;
      const auto analytic = ParameterGradient(
          kRows, L::kRowSize, [&](IndexRange rows, std::span<double> d_params) {
            if constexpr (kRows > 0) {
              workspace_.template BackwardParameters<P, I>(
                  params_, X(), samples_, rows, d_params, scratch_);
            }
          });
      errors.parameters = std::max(
          errors.parameters,
          GradientError(analytic,
                        std::span(*numeric).subspan(Net::kParameterOffsets[I],
                                                    analytic.size())));
    });
    return errors;
  }

 private:
  double Scale() const { return 1 / static_cast<double>(samples_); }
  MatrixView<const double> X() const {
    return {x_.data(), samples_, Net::InputShape::kVolume};
  }

  void Walk(std::span<double> losses) {
    std::fill(memory_.begin(), memory_.end(), kUnwritten);
    workspace_.template Walk<P>(
        params_, X(),
        [](const auto& f) {
          f(std::size_t{0}, std::size_t{2});
          f(std::size_t{1}, std::size_t{2});
        },
        [&](std::size_t) { return std::span(scratch_); },
        [&](IndexRange rows) {
          LossType::template Evaluate<P>(
              workspace_.Logits(rows), targets_, rows.begin, Scale(),
              workspace_.LogitsGradient(rows),
              losses.subspan(rows.begin, rows.size()));
        });
  }

  Targets targets_;
  std::size_t samples_;
  std::vector<double> x_;       // [samples, In]
  std::vector<double> params_;  // [kParameterCount]
  std::vector<double> memory_;
  Workspace<Net, double> workspace_;
  std::vector<double> scratch_;
};

}  // namespace internal

// Checks a layer bound to its input shape.
template <ExecutionPolicy P, BoundLayer L>
GradientErrors CheckLayerGradients(std::size_t batch = 3,
                                   std::uint64_t seed = 1) {
  return internal::Check(internal::UnderCheck<P, L>(), batch, seed);
}

// Checks a loss at random outputs [samples, classes].
template <ExecutionPolicy P, class LossType>
GradientErrors CheckLossGradient(
    typename LossType::template Targets<double> targets, std::size_t samples,
    std::size_t classes, std::uint64_t seed = 1) {
  return internal::FirstSmooth(
      seed, [&](RandomStream& stream) -> std::optional<GradientErrors> {
        const double scale = 1 / static_cast<double>(samples);
        const std::vector<double> weights(samples, scale);
        auto x = internal::RandomValues(stream, samples * classes);
        std::vector<double> d_x(x.size(), internal::kUnwritten);
        const MatrixView<const double> from(x.data(), samples, classes);
        const MatrixView<double> to(d_x.data(), samples, classes);
        const auto evaluate = [&](std::span<double> losses) {
          internal::ForBothHalves(samples, [&](IndexRange rows) {
            LossType::template Evaluate<P>(
                from.Rows(rows.begin, rows.size()), targets, rows.begin, scale,
                to.Rows(rows.begin, rows.size()),
                losses.subspan(rows.begin, rows.size()));
          });
        };
        const auto numeric = internal::NumericGradient(x, weights, evaluate);
        if (!numeric) return std::nullopt;
        std::vector<double> losses(samples);
        evaluate(losses);
        return GradientErrors{internal::GradientError(d_x, *numeric), 0};
      });
}

// Checks the gradient of the mean loss by all parameters of a network.
template <ExecutionPolicy P, class Net, class LossType>
GradientErrors CheckNetworkGradients(
    typename LossType::template Targets<double> targets, std::size_t samples,
    std::uint64_t seed = 1) {
  return internal::FirstSmooth(seed, [&](RandomStream& stream) {
    return internal::NetworkGradients<P, Net, LossType>(targets, samples,
                                                        stream)
        .Errors();
  });
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_GRADIENT_CHECK_H_
