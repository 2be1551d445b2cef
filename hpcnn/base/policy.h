// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Execution policies: empty tag types that choose the backend of an op at
// compile time, as in `Gemm<Simd>(...)`. Scalar is the readable reference that
// every other policy is tested against; Simd is Highway; Cuda lives in .cuh
// files that a .cu file includes by itself.

#ifndef HPCNN_BASE_POLICY_H_
#define HPCNN_BASE_POLICY_H_

#include <concepts>
#include <string_view>
#include <type_traits>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

struct Scalar {
  static constexpr std::string_view kName = "scalar";
};
struct Simd {
  static constexpr std::string_view kName = "simd";
};
struct Cuda {
  static constexpr std::string_view kName = "cuda";
};

// Satisfied by Scalar, Simd and Cuda.
template <class P>
concept ExecutionPolicy = std::is_empty_v<P> && requires {
  { P::kName } -> std::convertible_to<std::string_view>;
};

using DefaultPolicy = Simd;

namespace internal {

// For a static_assert that fires only when its template is instantiated.
template <class...>
inline constexpr bool kAlwaysFalse = false;

}  // namespace internal

HPCNN_NAMESPACE_END

// The body of an op's primary template: reached when no header that defines the
// op for this policy has been included. A specialisation (and not an overload)
// carries each backend, so it is found even when its header comes later.
#define HPCNN_NO_KERNEL(Op, Policy, cuda_header)                  \
  static_assert(::hpcnn::internal::kAlwaysFalse<Policy>,          \
                "hpcnn: " Op                                      \
                " has no kernel for this policy here; for Cuda, " \
                "include " cuda_header " from a .cu file")

#endif  // HPCNN_BASE_POLICY_H_
