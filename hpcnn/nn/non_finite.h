// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What is not a finite number in a training step, and where it was first: the
// cause, as near as the numbers tell.

#ifndef HPCNN_NN_NON_FINITE_H_
#define HPCNN_NN_NON_FINITE_H_

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

struct NonFinite {
  std::string tensor;  // "input", "loss", "output of layer 3 (Dense)", ...
  std::optional<std::size_t> sample{};  // its row of the batch, if it has one

  std::string Text() const {
    return "the " + tensor +
           (sample ? " of sample " + std::to_string(*sample) : "") +
           " is not finite";
  }
};

namespace internal {

// The first row with a number that is not finite.
template <class T>
std::optional<std::size_t> NonFiniteRow(MatrixView<const T> m) {
  for (std::size_t r = 0; r < m.rows(); ++r) {
    for (std::size_t c = 0; c < m.cols(); ++c) {
      if (!std::isfinite(m(r, c))) return r;
    }
  }
  return std::nullopt;
}

// "layer 3 (Dense)", "layer 4.1.0 (Relu)": of layer 4, which branches, the
// second branch's first.
inline std::string LayerText(std::span<const std::size_t> path,
                             const char* name) {
  std::string text = "layer ";
  for (const std::size_t index : path) {
    if (text.back() != ' ') text += '.';
    text += std::to_string(index);
  }
  return text + " (" + name + ")";
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_NON_FINITE_H_
