// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/flags.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace hpcnn::flags {
namespace {

bool IsSwitch(std::string_view flag) {
  return absl::FindCommandLineFlag(flag)->IsOfType<bool>();
}

absl::Status CheckWords(const std::vector<std::string_view>& words,
                        std::span<const std::string_view> known) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (!absl::StartsWith(word, "-")) {
      return absl::InvalidArgumentError(absl::StrCat(
          "expected --flag=value, found \"", absl::Utf8SafeCEscape(word),
          "\"; --help lists the flags"));
    }
    word.remove_prefix(absl::StartsWith(word, "--") ? 2 : 1);
    const std::pair<std::string_view, std::string_view> parts =
        absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (std::find(known.begin(), known.end(), parts.first) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "expected a flag of this program, found \"",
          absl::Utf8SafeCEscape(words[i]), "\"; --help lists the flags"));
    }
    const bool has_value = absl::StrContains(word, '=');
    if (IsSwitch(parts.first)) {
      if (has_value && parts.second != "true" && parts.second != "false") {
        return Refuse(parts.first, parts.second, "true or false");
      }
    } else if (!has_value && ++i == words.size()) {
      return Refuse(parts.first, "", "a value");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Refuse(std::string_view flag, std::string_view value,
                    std::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": expected ", expected, ", found \"",
                   absl::Utf8SafeCEscape(value), "\"; --help shows examples"));
}

absl::Status ReadChoice(std::string_view flag, std::string_view value,
                        const std::vector<std::string_view>& choices,
                        std::string& out) {
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    return Refuse(flag, value, absl::StrJoin(choices, " or "));
  }
  out = value;
  return absl::OkStatus();
}

absl::Status ReadPolicy(std::string_view value, std::string& out) {
  if (value == "cuda" || value == "cuda-sim") {
    return Refuse("policy", value,
                  "scalar or simd (cuda and cuda-sim are not available yet)");
  }
  return ReadChoice("policy", value, {"scalar", "simd"}, out);
}

bool AsksForHelp(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view word) {
    return word == "--help" || word == "-help" || word == "-h";
  });
}

absl::Status Parse(int argc, char** argv,
                   std::span<const std::string_view> known) {
  HPCNN_RETURN_IF_ERROR(CheckWords({argv + 1, argv + argc}, known));
  std::vector<char*> positional;
  std::vector<absl::UnrecognizedFlag> unknown;
  absl::ParseAbseilFlagsOnly(argc, argv, positional, unknown);
  return absl::OkStatus();
}

std::string Describe(std::span<const std::string_view> known) {
  std::string text;
  for (const std::string_view name : known) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    absl::StrAppend(&text, "  --", name, "=", flag->DefaultValue(), "\n");
    std::string line = "     ";
    for (const std::string_view word : absl::StrSplit(flag->Help(), ' ')) {
      if (line.size() + 1 + word.size() > 78) {
        absl::StrAppend(&text, line, "\n");
        line = "     ";
      }
      absl::StrAppend(&line, " ", word);
    }
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace hpcnn::flags
