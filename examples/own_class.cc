// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A network as a class of one's own, what Keras does by a subclass of Model. It
// owns its parameters, its two passes call layers as they like, and it stands
// where a Trainer would: Fit and Evaluate ask for no more than is here. Trained
// on the same batches, its weights are the list's to the byte.
//
//   bazel run //examples:own_class

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <vector>

#include "hpcnn/hpcnn.h"

namespace {

using hpcnn::MatrixView;
using hpcnn::Simd;

using Image = hpcnn::Shape<1, 28, 28>;

class OwnNetwork {
  using Hidden = hpcnn::Dense<128>::On<hpcnn::Shape<Image::kVolume>>;
  using Relu = hpcnn::Relu::On<Hidden::Output>;
  using Output = hpcnn::Dense<10>::On<Hidden::Output>;
  static constexpr std::size_t kHiddenSize =
      Hidden::kParameterRows * Hidden::kRowSize;
  static constexpr std::size_t kOutputSize =
      Output::kParameterRows * Output::kRowSize;

 public:
  using Network = OwnNetwork;
  using InputShape = Image;
  using OutputShape = Output::Output;
  static constexpr std::size_t kInputs = Image::kVolume;
  static constexpr std::size_t kParameterCount = kHiddenSize + kOutputSize;

  // `pool` must outlive this.
  OwnNetwork(hpcnn::ThreadPool& pool, std::size_t batch,
             std::span<const float, kParameterCount> initial)
      : pool_(pool),
        batch_(batch),
        parameters_(initial.begin(), initial.end()),
        gradient_(kParameterCount),
        velocity_(kParameterCount),
        h_(batch * Hidden::kRowSize),
        d_h_(batch * Hidden::kRowSize),
        y_(batch * Output::kRowSize),
        d_y_(batch * Output::kRowSize),
        losses_(batch) {}

  // x: [n, kInputs], n <= batch. Returns the outputs, [n, 10], valid until the
  // next call. A pass takes parameters, input, output and scratch memory.
  MatrixView<const float> Forward(MatrixView<const float> x) {
    const auto h = Rows(h_, x.rows());
    const auto y = Rows(y_, x.rows());
    Hidden::Forward<Simd, float>({HiddenPart(parameters_), x, h, {}});
    Relu::Forward<Simd, float>({{}, h, h, {}});  // in place
    Output::Forward<Simd, float>({OutputPart(parameters_), h, y, {}});
    return y;
  }

  // One step of gradient descent. Returns the mean loss before it.
  float Step(MatrixView<const float> x, std::span<const std::uint8_t> labels,
             float rate) {
    const hpcnn::FlushDenormals flush;  // as Trainer does
    const std::size_t n = x.rows();
    const float scale = 1.0f / static_cast<float>(n);
    const std::span<float> losses(losses_.data(), n);
    const auto y = Forward(x);
    const auto d_y = Rows(d_y_, n);
    hpcnn::SoftmaxCrossEntropy::Evaluate<Simd, float>(y, labels, 0, scale, d_y,
                                                      losses);
    Backward(x, d_y);
    rule_.Update<Simd, float>({.rate = rate, .number = ++steps_}, parameters_,
                              gradient_, {velocity_.data()});
    return scale * hpcnn::Sum<Simd>(std::span<const float>(losses));
  }

  std::span<const float> parameters() const { return parameters_; }
  std::size_t batch() const { return batch_; }
  hpcnn::ThreadPool& pool() const { return pool_; }

 private:
  // Fills gradient_, from the outputs back to the first layer. All that passes
  // take is in hpcnn/nn/layer.h.
  void Backward(MatrixView<const float> x, MatrixView<const float> d_y) {
    const MatrixView<const float> h = Rows(h_, x.rows());
    const auto d_h = Rows(d_h_, x.rows());
    Output::BackwardParameters<Simd, float>(
        {h, d_y, {0, Output::kParameterRows}, OutputPart(gradient_), {}});
    Output::BackwardInput<Simd, float>(
        {OutputPart(parameters_), h, Rows(y_, x.rows()), d_y, d_h, {}});
    Relu::BackwardInput<Simd, float>({{}, h, h, d_h, d_h, {}});
    Hidden::BackwardParameters<Simd, float>(
        {x, d_h, {0, Hidden::kParameterRows}, HiddenPart(gradient_), {}});
  }

  static std::span<float> HiddenPart(std::vector<float>& all) {
    return std::span(all).first(kHiddenSize);
  }
  static std::span<float> OutputPart(std::vector<float>& all) {
    return std::span(all).last(kOutputSize);
  }
  MatrixView<float> Rows(std::vector<float>& all, std::size_t n) const {
    return {all.data(), n, all.size() / batch_};
  }

  hpcnn::ThreadPool& pool_;  // for the images that Evaluate reads
  const std::size_t batch_;
  const hpcnn::Momentum rule_;
  std::uint64_t steps_ = 0;
  std::vector<float> parameters_, gradient_, velocity_;  // each of both layers
  std::vector<float> h_, d_h_;                           // [batch, 128]
  std::vector<float> y_, d_y_;                           // [batch, 10]
  std::vector<float> losses_;                            // [batch]
};

using List =
    hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                      hpcnn::Dense<128>, hpcnn::Relu, hpcnn::Dense<10>>;

template <class TrainerType>
void Train(const char* name, TrainerType& trainer) {
  const auto train = hpcnn::MakeSyntheticDigits(3'000, /*seed=*/1);
  const auto test = hpcnn::MakeSyntheticDigits(1'000, /*seed=*/3);
  hpcnn::BatchLoader loader(train, hpcnn::ShuffledSampler(train.size(), 1),
                            hpcnn::Normalise<Image>(), {.epochs = 3});
  const hpcnn::History history = hpcnn::Fit(trainer, loader, test);
  std::printf("%-9s loss %.6f, test accuracy %.1f %%\n", name,
              history.epochs.back().loss, 100 * hpcnn::Evaluate(trainer, test));
}

}  // namespace

int main() {
  hpcnn::ThreadPool pool(hpcnn::UsableCpus().count);
  constexpr std::size_t kBatch = 64;
  hpcnn::Trainer<List, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> list(
      pool, kBatch, hpcnn::Momentum{}, /*seed=*/1);
  OwnNetwork own(pool, kBatch, list.parameters());
  Train("list", list);
  Train("own class", own);

  std::size_t same = 0;
  for (std::size_t i = 0; i < List::kParameterCount; ++i) {
    same += std::memcmp(&list.parameters()[i], &own.parameters()[i],
                        sizeof(float)) == 0;
  }
  std::printf("%zu of %zu weights are the same to the byte\n", same,
              List::kParameterCount);
  return same == List::kParameterCount ? 0 : 1;
}
