// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Evaluator: the accuracy of a trainer's network on a dataset. It owns the
// memory of one batch of inputs, so that evaluating after every epoch allocates
// nothing.

#ifndef HPCNN_TRAIN_EVALUATE_H_
#define HPCNN_TRAIN_EVALUATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "hpcnn/augment/pipeline.h"
#include "hpcnn/base/arena.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/data/dataset.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN

// The words of static_asserts: whether a network has an output for each class,
template <std::size_t Count>
struct Classes;
template <class Got, class Want>
inline constexpr bool kOneOutputPerClass = false;
template <class S, std::size_t Count>
inline constexpr bool kOneOutputPerClass<Produces<S>, Classes<Count>> =
    S::kVolume == Count;
// and whether its input takes a dataset's images, as they are or flattened.
template <class ImageShape, class InputShape>
inline constexpr bool kInputTakesImages = false;
template <class S>
inline constexpr bool kInputTakesImages<S, S> = true;
template <std::size_t... Dims, std::size_t Size>
requires(Shape<Dims...>::kVolume == Size &&
         sizeof...(Dims) >
             1) inline constexpr bool kInputTakesImages<Shape<Dims...>,
                                                        Shape<Size>> = true;

template <class TrainerType>
class Evaluator {
  using Net = typename TrainerType::Network;

 public:
  // `trainer` must outlive this.
  explicit Evaluator(TrainerType& trainer)
      : trainer_(trainer),
        arena_(ArenaBytes<float>(trainer.batch() * TrainerType::kInputs)),
        inputs_(arena_.Take<float>(trainer.batch() * TrainerType::kInputs)) {}

  // The fraction of images whose largest output is that of their label; 0 for
  // an empty dataset. After a stop request: of the images so far.
  template <Dataset D>
  double Accuracy(const D& dataset, const std::stop_token& stop = {}) {
    static_assert(
        kInputTakesImages<typename D::ImageShape, typename Net::InputShape>,
        "hpcnn: the network's Input must have the shape of the images");
    static_assert(
        kOneOutputPerClass<Produces<typename Net::OutputShape>,
                           Classes<D::kClasses>>,
        "hpcnn: the network must have one output per class; end it with "
        "Dense<classes>");
    std::size_t right = 0;
    std::size_t seen = 0;
    while (seen < dataset.size() && !stop.stop_requested()) {
      const std::size_t n = std::min(trainer_.batch(), dataset.size() - seen);
      const MatrixView<const float> logits = Outputs(dataset, seen, n);
      for (std::size_t i = 0; i < n; ++i) {
        const std::span<const float> row(logits.row(i), D::kClasses);
        right += ArgMax(row) == dataset.label(seen + i);
      }
      seen += n;
    }
    return seen == 0 ? 0
                     : static_cast<double>(right) / static_cast<double>(seen);
  }

 private:
  // [n, classes]
  template <Dataset D>
  MatrixView<const float> Outputs(const D& dataset, std::size_t first,
                                  std::size_t n) {
    using Image = typename D::ImageShape;
    const Normalise<Image> normalise;
    trainer_.pool().Run([&](std::size_t part, std::size_t parts) {
      const IndexRange rows = Partition(n, part, parts);
      for (std::size_t i = rows.begin; i < rows.end; ++i) {
        normalise(0, 0, dataset.image(first + i),
                  MakeView<Image>(inputs_.data() + i * Image::kVolume));
      }
    });
    return trainer_.Forward(
        MatrixView<const float>(inputs_.data(), n, TrainerType::kInputs));
  }

  template <class S>
  static auto MakeView(float* data) {
    return typename internal::ViewOfShape<float, S>::Type(data);
  }

  TrainerType& trainer_;
  Arena arena_;
  std::span<float> inputs_;  // [batch, inputs]
};

// The same for one call.
template <class TrainerType, Dataset D>
double Evaluate(TrainerType& trainer, const D& dataset,
                const std::stop_token& stop = {}) {
  return Evaluator<TrainerType>(trainer).Accuracy(dataset, stop);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_EVALUATE_H_
