// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The training steps of //tools:train's models as C functions, for train.py.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bench/roofline.h"
#include "hpcnn/hpcnn.h"
#include "tools/train/models.h"

namespace {

using hpcnn::train::LenetModel;
using hpcnn::train::MlpLargeModel;
using hpcnn::train::MlpModel;

// A trainer of any network.
struct Session {
  virtual ~Session() = default;
  virtual std::span<const float> parameters() const = 0;
  virtual float Step(const float* x, const std::uint8_t* labels, std::size_t n,
                     float rate) = 0;
};

template <class Net>
struct SessionOf : Session {
  SessionOf(std::size_t batch, std::size_t threads)
      : pool(threads), trainer(pool, batch, hpcnn::Momentum{}, 1) {}
  std::span<const float> parameters() const override {
    return trainer.parameters();
  }
  float Step(const float* x, const std::uint8_t* labels, std::size_t n,
             float rate) override {
    return trainer.Step({x, n, Net::InputShape::kVolume}, {labels, n}, rate);
  }
  hpcnn::ThreadPool pool;
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer;
};

// Forward, the gradient by the parameters, and that by the inputs of all layers
// behind the first.
template <class Net>
constexpr std::size_t StepFlops() {
  return 3 * Net::kForwardFlops -
         Net::template LayerAt<Net::kFirstTrained>::kForwardFlops;
}

// f.operator()<Net>() for the model of that name.
template <class F>
auto WithModel(std::string_view name, const F& f) {
  if (name == "lenet") return f.template operator()<LenetModel>();
  if (name == "mlp-large") return f.template operator()<MlpLargeModel>();
  return f.template operator()<MlpModel>();
}

}  // namespace

extern "C" {

Session* SessionCreate(const char* model, std::size_t batch,
                       std::size_t threads) {
  return WithModel(model, [&]<class Net>() -> Session* {
    return new SessionOf<Net>(batch, threads);
  });
}
void SessionDestroy(Session* session) { delete session; }
std::size_t SessionParameterCount(const Session* session) {
  return session->parameters().size();
}
const float* SessionParameters(const Session* session) {
  return session->parameters().data();
}
// x: [n, 784], labels: [n]; the mean loss.
float SessionStep(Session* session, const float* x, const std::uint8_t* labels,
                  std::size_t n, float rate) {
  return session->Step(x, labels, n, rate);
}
std::size_t FlopsPerImage(const char* model) {
  return WithModel(model, []<class Net>() { return StepFlops<Net>(); });
}
double ProbeFmaFlops() { return hpcnn::bench::ProbeFmaFlops(); }
const char* SimdTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

}  // extern "C"
