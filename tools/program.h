// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What every program of this folder does around its own work.

#ifndef HPCNN_TOOLS_PROGRAM_H_
#define HPCNN_TOOLS_PROGRAM_H_

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "absl/strings/str_format.h"

namespace hpcnn::program {

inline constexpr int kFailed = 1;
inline constexpr int kBadUsage = 2;

// The exit code of `body`; what it throws becomes a line that begins with
// `name`.
inline int Run(const char* name, int (*body)(int, char**), int argc,
               char** argv) {
  // A closed stdout must not become the first file that is opened.
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return kFailed;
  }
  try {
    return body(argc, argv);
  } catch (const std::exception& error) {
    absl::FPrintF(stderr, "%s: %s\n", name, error.what());
    return kFailed;
  }
}

}  // namespace hpcnn::program

#endif  // HPCNN_TOOLS_PROGRAM_H_
