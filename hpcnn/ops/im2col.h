// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Convolution as a matrix product, as the course has it: Im2Col writes under
// each position of the kernel the pixels that it covers,
//
//   columns[(n * OpY + i) * OpX + j][(c * P + p) * Q + q] =
//       x[n][c][i * Sy + p - Py][j * Sx + q - Px], or 0 outside
//
// so that a convolution is columns times transposed kernels, plus a bias. Col2Im
// is its transpose: it adds every element to the pixel that it came from, which
// turns the gradient by the columns into that by the images.
//
// Conv2d (conv2d.h) does without where strides are 1: the matrix is P * Q times
// as large as the images. Rows: N * OpY * OpX, columns: C * P * Q.

#ifndef HPCNN_OPS_IM2COL_H_
#define HPCNN_OPS_IM2COL_H_

#include <algorithm>
#include <cstddef>

#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv_geometry.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Calls f(image, row of columns, position in it, pixel or kOutside).
inline constexpr std::size_t kOutside = static_cast<std::size_t>(-1);
template <class G, class F>
void ForEachColumn(std::size_t images, const F& f) {
  std::size_t row = 0;
  for (std::size_t n = 0; n < images; ++n) {
    for (std::size_t i = 0; i < G::kRows; ++i) {
      for (std::size_t j = 0; j < G::kCols; ++j, ++row) {
        ForEachTap<G>(
            [&](std::size_t c, std::size_t p, std::size_t q, std::size_t k) {
              f(n, row, k,
                G::Outside(i, j, p, q) ? kOutside : G::Pixel(c, i, j, p, q));
            });
      }
    }
  }
}

template <class G, class T>
void CheckColumns(MatrixView<T> x, MatrixView<T> columns) {
  HPCNN_CHECK(x.cols() == G::Input::kVolume &&
                  columns.rows() == x.rows() * G::kPixels &&
                  columns.cols() == G::kKernelSize,
              "im2col needs images [N, C * Y * X] and columns [N * OpY * OpX, "
              "C * P * Q]");
}

}  // namespace internal

template <class G, class T>
void Im2Col(MatrixView<const T> x, MatrixView<T> columns) {
  internal::CheckColumns<G>(x, MatrixView<const T>(columns));
  internal::ForEachColumn<G>(x.rows(), [&](std::size_t n, std::size_t row,
                                           std::size_t k, std::size_t pixel) {
    columns(row, k) = pixel == internal::kOutside ? T{0} : x(n, pixel);
  });
}

// Overwrites x.
template <class G, class T>
void Col2Im(MatrixView<const T> columns, MatrixView<T> x) {
  internal::CheckColumns<G>(MatrixView<const T>(x), columns);
  for (std::size_t n = 0; n < x.rows(); ++n) {
    std::fill_n(x.row(n), x.cols(), T{0});
  }
  internal::ForEachColumn<G>(x.rows(), [&](std::size_t n, std::size_t row,
                                           std::size_t k, std::size_t pixel) {
    if (pixel != internal::kOutside) x(n, pixel) += columns(row, k);
  });
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_IM2COL_H_
