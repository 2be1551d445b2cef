// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#ifndef HPCNN_TESTS_OPS_STORED_H_
#define HPCNN_TESTS_OPS_STORED_H_

#include <cstddef>

#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn_test {

// A matrix whose rows are `gap` elements apart; none may be touched past its end.
template <class T>
struct Stored {
  Stored(std::size_t rows_in, std::size_t cols_in, std::size_t gap)
      : rows(rows_in),
        cols(cols_in),
        stride(cols_in + gap),
        data(rows == 0 ? 0 : (rows - 1) * stride + cols) {}

  hpcnn::MatrixView<const T> view() const {
    return {data.data(), rows, cols, stride};
  }
  hpcnn::MatrixView<T> view() { return {data.data(), rows, cols, stride}; }

  std::size_t rows;
  std::size_t cols;
  std::size_t stride;
  GuardedVector<T> data;
};

}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_OPS_STORED_H_
