// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Filters a picture as the command line says: the step from names that are read
// at run time to policies, borders and kernels that are types.

#ifndef HPCNN_TOOLS_FILTER_APPLY_H_
#define HPCNN_TOOLS_FILTER_APPLY_H_

#include <string>

#include "hpcnn/concurrency/thread_pool.h"
#include "tools/filter/picture.h"

namespace hpcnn::filter {

struct Request {
  bool magnitude = false;  // else a correlation
  bool transpose = false;
  std::string border = "zero";
  std::string policy = "simd";
};

// CheckSumsFit (input.h) must have passed the two. Border and policy are ones
// that ReadOptions lets pass.
Result Apply(const Picture& picture, const Kernel& kernel,
             const Request& request, ThreadPool& pool);

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_APPLY_H_
