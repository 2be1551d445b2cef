// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// How the programs of this folder read their command line: what is wrong with
// it is a status of one line. Abseil's own parser would end the program with
// code 1 and several lines, so it sees only words that passed here, and flags
// with values are strings to it.

#ifndef HPCNN_TOOLS_FLAGS_H_
#define HPCNN_TOOLS_FLAGS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hpcnn::flags {

// "--FLAG: expected E, found "VALUE"; --help shows examples".
absl::Status Refuse(std::string_view flag, std::string_view value,
                    std::string_view expected);

template <class T>
absl::Status ReadCount(std::string_view flag, std::string_view value, T low,
                       T high, T& out) {
  if (!absl::SimpleAtoi(value, &out) || out < low || out > high) {
    return Refuse(flag, value,
                  absl::StrCat("a whole number from ", low, " to ", high));
  }
  return absl::OkStatus();
}

absl::Status ReadChoice(std::string_view flag, std::string_view value,
                        const std::vector<std::string_view>& choices,
                        std::string& out);

// scalar or simd.
absl::Status ReadPolicy(std::string_view value, std::string& out);

// Does argv ask for help?
bool AsksForHelp(int argc, char** argv);

// Sets Abseil's flags from argv, which may name those of `known` alone.
absl::Status Parse(int argc, char** argv,
                   std::span<const std::string_view> known);

// For --help: each flag with its default and, below, its explanation.
std::string Describe(std::span<const std::string_view> known);

}  // namespace hpcnn::flags

#define HPCNN_RETURN_IF_ERROR(expression) \
  if (absl::Status status = (expression); !status.ok()) return status

#endif  // HPCNN_TOOLS_FLAGS_H_
