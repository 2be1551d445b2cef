// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The training step of --model=mlp as C functions, for train.py.

#include <cstddef>
#include <cstdint>

#include "bench/roofline.h"
#include "hpcnn/hpcnn.h"

namespace {

using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Dense<128>, hpcnn::Relu, hpcnn::Dense<10>>;

struct Session {
  Session(std::size_t batch, std::size_t threads)
      : pool(threads), trainer(pool, batch, hpcnn::Momentum{}, 1) {}
  hpcnn::ThreadPool pool;
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer;
};

}  // namespace

extern "C" {

Session* SessionCreate(std::size_t batch, std::size_t threads) {
  return new Session(batch, threads);
}
void SessionDestroy(Session* session) { delete session; }
std::size_t SessionParameterCount() { return Net::kParameterCount; }
const float* SessionParameters(const Session* session) {
  return session->trainer.parameters().data();
}
// x: [n, 784], labels: [n]; the mean loss.
float SessionStep(Session* session, const float* x, const std::uint8_t* labels,
                  std::size_t n, float rate) {
  return session->trainer.Step({x, n, 784}, {labels, n}, rate);
}
double ProbeFmaFlops() { return hpcnn::bench::ProbeFmaFlops(); }
const char* SimdTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

}  // extern "C"
