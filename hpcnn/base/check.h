// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// HPCNN_CHECK(condition, message): a broken precondition of the maths, that is,
// a bug in the calling program. Prints file, line, condition and message, and
// aborts. Not for anything that a file, a flag or a device can cause: those
// return absl::Status.

#ifndef HPCNN_BASE_CHECK_H_
#define HPCNN_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define HPCNN_CHECK(condition, message)                                   \
  do {                                                                    \
    if (!(condition)) [[unlikely]] {                                      \
      std::fprintf(stderr, "hpcnn: %s:%d: %s (%s)\n", __FILE__, __LINE__, \
                   message, #condition);                                  \
      std::abort();                                                       \
    }                                                                     \
  } while (false)

#endif  // HPCNN_BASE_CHECK_H_
