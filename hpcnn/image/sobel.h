// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Edge kernels: each answers to a change along the row (x), positive where the
// picture gets darker to the right; Transposed<...> to one along the column. A
// constant picture gives 0. Neighbours8 is no edge kernel: the sum of the eight
// pixels around one.
//
// Sobel and Feldman 1968; Scharr 2000 (the integer form of his optimal
// operator).

#ifndef HPCNN_IMAGE_SOBEL_H_
#define HPCNN_IMAGE_SOBEL_H_

#include "hpcnn/base/target.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

struct Sobel3x3 {
  static constexpr Stencil<3, 3> kTaps{{{1, 0, -1},  //
                                        {2, 0, -2},
                                        {1, 0, -1}}};
};

struct Scharr3x3 {
  static constexpr Stencil<3, 3> kTaps{{{3, 0, -3},  //
                                        {10, 0, -10},
                                        {3, 0, -3}}};
};

struct Sobel5x3 {
  static constexpr Stencil<5, 3> kTaps{
      {{1, 0, -1}, {2, 0, -2}, {1, 0, -1}, {2, 0, -2}, {1, 0, -1}}};
};

struct Sobel5x5 {
  static constexpr Stencil<5, 5> kTaps{{{1, 0, 0, 0, -1},
                                        {2, 0, 0, 0, -2},
                                        {1, 0, 0, 0, -1},
                                        {2, 0, 0, 0, -2},
                                        {1, 0, 0, 0, -1}}};
};

struct Neighbours8 {
  static constexpr Stencil<3, 3> kTaps{{{1, 1, 1},  //
                                        {1, 0, 1},
                                        {1, 1, 1}}};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_SOBEL_H_
