// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/sweep/options.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hpcnn/io/file.h"
#include "tools/flags.h"
#include "tools/train/choices.h"
#include "tools/train/options.h"

ABSL_FLAG(std::string, models, "mlp,course",
          "networks, of those that --model of //tools:train explains: mlp, "
          "mlp-large, course, lenet, cnn. Example: --models=mlp,lenet");
ABSL_FLAG(std::string, optimizers, "sgd,momentum,adam",
          "sgd, momentum, nesterov, rmsprop, adam, adamw. "
          "Example: --optimizers=momentum,adamw");
ABSL_FLAG(std::string, schedules, "cosine",
          "the learning rate over the run: cosine, constant, step, onecycle, "
          "plateau. Example: --schedules=cosine,constant");
ABSL_FLAG(std::string, lr, "auto",
          "the largest learning rates; auto is tuned for preset, model and "
          "optimizer, as in //tools:train. Example: --lr=auto,0.1,0.05");
ABSL_FLAG(std::string, batch, "64",
          "images a step; auto is 64 (full) or 16 (lowdata). "
          "Example: --batch=16,64,256");
ABSL_FLAG(std::string, augment, "off",
          "on changes every image a little each time it is used. "
          "Example: --augment=on");
ABSL_FLAG(std::string, epochs, "3",
          "passes over the data, in every run. Example: --epochs=10");
ABSL_FLAG(std::string, seed, "1",
          "everything random in a run depends on it alone. Example: --seed=7");
ABSL_FLAG(std::string, threads, "auto",
          "threads of the training step; auto is the usable processors, as far "
          "as the batch keeps them busy. Example: --threads=1");
ABSL_FLAG(std::string, workers, "auto",
          "augmentation workers, one count; auto is SLURM_CPUS_PER_TASK, else "
          "the usable processors, at least 2. Example: --workers=8");
ABSL_FLAG(
    std::string, data, "auto",
    "a folder with the four MNIST files, raw or .gz; synthetic for digits "
    "that the program draws; auto is $HPCNN_DATA, else "
    "${XDG_CACHE_HOME:-~/.cache}/hpcnn/mnist, else synthetic. "
    "Example: --data=/data/mnist");
ABSL_FLAG(std::string, preset, "full",
          "full trains on 55 000 of MNIST's images, lowdata on 500. "
          "Example: --preset=lowdata");
ABSL_FLAG(std::string, csv, "",
          "write the table to this file as well, with all digits, a line after "
          "each run. Example: --csv=sweep.csv");
ABSL_FLAG(std::string, file, "",
          "read the flags above from this file. Example: --file=course.sweep");

namespace hpcnn::sweep {
namespace {

using flags::ReadChoice;
using flags::ReadCount;
using flags::Refuse;
using train::Settings;

std::vector<std::string_view> OnOrOff() { return {"on", "off"}; }

// What a flag, or a line of the file, sets.
struct Name {
  std::string_view name;
  bool is_list;
  std::string Settings::*setting;  // null: none of a run
  // What it may be, where the name is not the one in Settings or not all that
  // Settings may be makes sense here.
  std::vector<std::string_view> (*choices)() = nullptr;
};

// The lists in the order of the table's columns.
constexpr Name kNames[] = {
    {"models", true, &Settings::model, &train::ModelNames},
    {"optimizers", true, &Settings::optimizer, &train::AnyOptimizer::Names},
    {"schedules", true, &Settings::schedule, &train::AnySchedule::Names},
    {"lr", true, &Settings::lr},
    {"batch", true, &Settings::batch},
    {"augment", false, &Settings::augment, &OnOrOff},
    {"epochs", false, &Settings::epochs},
    {"seed", false, &Settings::seed},
    {"threads", false, &Settings::threads},
    {"workers", false, &Settings::workers},
    {"data", false, &Settings::data},
    {"preset", false, &Settings::preset},
    {"csv", false, nullptr},
};

// At a second each, three hours.
constexpr std::size_t kMaxRuns = 10'000;
constexpr std::uint64_t kMaxSweepFileBytes = std::uint64_t{1} << 20;

std::vector<std::string_view> FileNames() {
  std::vector<std::string_view> names;
  for (const Name& name : kNames) names.push_back(name.name);
  return names;
}

std::vector<std::string_view> FlagNames() {
  std::vector<std::string_view> names = FileNames();
  names.push_back("file");
  return names;
}

std::vector<std::string> Items(const Name& name, std::string_view value) {
  if (!name.is_list) return {std::string(value)};
  std::vector<std::string> items;
  for (const std::string_view item : absl::StrSplit(value, ',')) {
    items.emplace_back(absl::StripAsciiWhitespace(item));
  }
  return items;
}

absl::Status CheckItem(const Name& name, const std::string& item) {
  if (name.setting == nullptr) return absl::OkStatus();
  if (name.choices != nullptr) {
    std::string ignored;
    return ReadChoice(name.name, item, name.choices(), ignored);
  }
  if (name.name == "workers" && item != "auto") {
    std::size_t ignored = 0;
    return ReadCount<std::size_t>(name.name, item, 0, train::kMaxThreads,
                                  ignored);
  }
  // Nothing else can be wrong.
  Settings settings;
  settings.*name.setting = item;
  return train::CompleteOptions(settings).status();
}

absl::Status Check(const Name& name, std::string_view value) {
  for (const std::string& item : Items(name, value)) {
    HPCNN_RETURN_IF_ERROR(CheckItem(name, item));
  }
  return absl::OkStatus();
}

// A line without its comment; an empty one says nothing.
absl::Status ReadLine(std::string_view line, std::set<std::string>& seen) {
  line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
  if (line.empty()) return absl::OkStatus();
  const auto expected = [](std::string_view what, std::string_view found) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected ", what, ", found \"", absl::Utf8SafeCEscape(found), "\""));
  };
  if (!absl::StrContains(line, ':')) return expected("name: value", line);
  std::pair<std::string_view, std::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(':', 1));
  const std::string key(absl::StripTrailingAsciiWhitespace(parts.first));
  const std::string value(absl::StripLeadingAsciiWhitespace(parts.second));
  const Name* const name = std::ranges::find(kNames, key, &Name::name);
  if (name == std::end(kNames)) {
    return expected(absl::StrJoin(FileNames(), ", "), key);
  }
  if (!seen.insert(key).second) {
    return expected("each name once", line);
  }
  HPCNN_RETURN_IF_ERROR(Check(*name, value));
  std::string ignored;  // a string flag takes every text
  absl::FindCommandLineFlag(key)->ParseFrom(value, &ignored);
  return absl::OkStatus();
}

// Sets the flags that the file names.
absl::Status ReadSweepFile(const std::string& path) {
  const absl::StatusOr<std::string> text =
      ReadFile(ResolveUserPath(path), kMaxSweepFileBytes);
  if (!text.ok()) return text.status();
  std::set<std::string> seen;
  std::size_t number = 0;
  for (const std::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    const absl::Status status = ReadLine(line, seen);
    if (!status.ok()) {
      return absl::Status(
          status.code(),
          absl::StrCat(absl::Utf8SafeCEscape(path), ": line ", number, ": ",
                       absl::StripPrefix(status.message(), "--")));
    }
  }
  return absl::OkStatus();
}

std::string Value(const Name& name) {
  return absl::FindCommandLineFlag(name.name)->CurrentValue();
}

// One Settings for each combination.
absl::StatusOr<std::vector<Settings>> Combine() {
  std::vector<Settings> all(1);
  for (const Name& name : kNames) {
    if (name.setting == nullptr) continue;
    const std::vector<std::string> items = Items(name, Value(name));
    if (all.size() > kMaxRuns / items.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name.name, ": expected at most ", kMaxRuns,
                       " runs, found ", all.size(),
                       " combinations of the "
                       "lists before and ",
                       items.size(), " values here; shorten a list"));
    }
    std::vector<Settings> longer;
    for (const Settings& settings : all) {
      for (const std::string& item : items) {
        longer.push_back(settings);
        longer.back().*name.setting = item;
      }
    }
    all = std::move(longer);
  }
  return all;
}

}  // namespace

absl::StatusOr<Options> ReadOptions(int argc, char** argv) {
  if (flags::AsksForHelp(argc, argv)) return Options{.help = true};
  const std::vector<std::string_view> names = FlagNames();
  HPCNN_RETURN_IF_ERROR(flags::Parse(argc, argv, names));
  if (const std::string file = absl::GetFlag(FLAGS_file); !file.empty()) {
    HPCNN_RETURN_IF_ERROR(ReadSweepFile(file));
    // Once more, so that the command line wins.
    HPCNN_RETURN_IF_ERROR(flags::Parse(argc, argv, names));
  }
  for (const Name& name : kNames) {
    HPCNN_RETURN_IF_ERROR(Check(name, Value(name)));
  }
  const absl::StatusOr<std::vector<Settings>> combinations = Combine();
  if (!combinations.ok()) return combinations.status();
  Options options{.csv = absl::GetFlag(FLAGS_csv)};
  for (const Settings& settings : *combinations) {
    absl::StatusOr<train::Options> run = train::CompleteOptions(settings);
    if (!run.ok()) return run.status();
    options.runs.push_back(*std::move(run));
  }
  return options;
}

std::string HelpText() {
  return absl::StrCat(
      "Trains every combination of models, optimizers, schedules, learning "
      "rates and\nbatch sizes, one after another, and prints a table.\n\n"
      "  bazel run //tools:sweep\n"
      "  bazel run //tools:sweep -- --models=course --optimizers=sgd "
      "--lr=0.1,1,10\n"
      "  bazel run //tools:sweep -- --file=course.sweep --csv=sweep.csv\n\n",
      flags::Describe(FlagNames()),
      "\nThe first five are lists with commas between. A file has a line for "
      "each flag\nthat it sets, without dashes; what the command line says "
      "goes before it:\n\n"
      "  # How does the batch size matter?\n"
      "  models: mlp, lenet\n"
      "  batch: 16, 64, 256\n"
      "\nThe table goes to stdout, a line a run to stderr. Exit code: 0 done, "
      "1 failed,\n2 bad usage or input, 130 or 143 stopped by Ctrl-C or "
      "SIGTERM; the runs until\nthen are in the table.\n");
}

}  // namespace hpcnn::sweep
