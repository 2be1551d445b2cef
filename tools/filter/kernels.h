// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The kernels that --kernel knows by name.

#ifndef HPCNN_TOOLS_FILTER_KERNELS_H_
#define HPCNN_TOOLS_FILTER_KERNELS_H_

#include <string_view>

#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"

namespace hpcnn::filter {

template <StencilKernel K>
struct Named {
  using Kernel = K;
  std::string_view name;     // in --kernel and in the names of files
  std::string_view caption;  // on the contact sheet
  bool finds_edges;          // in two directions: it has a magnitude
};

// Calls f(Named<K>) for each.
template <class F>
void ForEachNamedKernel(F&& f) {
  f(Named<Sobel3x3>{"sobel3x3", "SOBEL 3X3", true});
  f(Named<Scharr3x3>{"scharr3x3", "SCHARR 3X3", true});
  f(Named<Sobel5x3>{"sobel5x3", "SOBEL 5X3", true});
  f(Named<Sobel5x5>{"sobel5x5", "SOBEL 5X5", true});
  f(Named<Neighbours8>{"neighbours8", "NEIGHBOURS 8", false});
}

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_KERNELS_H_
