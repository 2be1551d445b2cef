// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Pictures and kernels from files that may be anything. A status is one line.

#ifndef HPCNN_TOOLS_FILTER_INPUT_H_
#define HPCNN_TOOLS_FILTER_INPUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/filter/picture.h"

namespace hpcnn::filter {

// An image of any kind as grey, or an .npy file.
absl::StatusOr<Picture> ReadPicture(const std::string& path);

// One with a name, or an .npy file.
absl::StatusOr<Kernel> FindKernel(const std::string& name);

// Refuses integer taps that are so large that sums may exceed i32.
absl::Status CheckSumsFit(const Kernel& kernel, const Picture& picture);

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_INPUT_H_
