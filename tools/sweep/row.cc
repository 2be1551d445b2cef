// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/sweep/row.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/train/options.h"
#include "tools/train/phase.h"

namespace hpcnn::sweep {
namespace {

using Cells = std::array<std::string, 11>;

// The shortest text that is read back as `value`.
template <class T>
std::string Exact(T value) {
  std::array<char, 64> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

std::string Exact(const std::optional<double>& value) {
  return value ? Exact(*value) : "";
}

std::string Percent(const std::optional<double>& value) {
  return value ? absl::StrFormat("%.2f", *value) : "-";
}

}  // namespace

Row MakeRow(const train::Options& run, std::size_t parameters,
            const train::PhaseResult& result) {
  const train::Totals totals = train::Sum(result.history);
  Row row{
      .model = run.model,
      .parameters = parameters,
      .optimizer = run.optimizer,
      .schedule = run.schedule,
      .rate = run.rate,
      .batch = run.batch,
      .epochs = run.epochs,
      .seconds = result.history.seconds,
      .images_per_second =
          totals.seconds > 0 ? totals.images / totals.seconds : 0,
  };
  if (!result.history.failure) {
    row.validation = 100 * result.history.epochs.back().validation_accuracy;
    row.test = 100 * result.test_accuracy;
  }
  return row;
}

std::string CsvHeader() {
  return "model,parameters,optimizer,schedule,lr,batch,epochs,val_accuracy,"
         "test_accuracy,seconds,images_per_second\n";
}

std::string CsvLine(const Row& row) {
  return absl::StrCat(
      absl::StrJoin(Cells{row.model, absl::StrCat(row.parameters),
                          row.optimizer, row.schedule, Exact(row.rate),
                          absl::StrCat(row.batch), absl::StrCat(row.epochs),
                          Exact(row.validation), Exact(row.test),
                          Exact(row.seconds), Exact(row.images_per_second)},
                    ","),
      "\n");
}

std::string Table(std::span<const Row> rows) {
  std::vector<Cells> lines{{"model", "parameters", "optimizer", "schedule",
                            "lr", "batch", "epochs", "validation %", "test %",
                            "seconds", "images/s"}};
  for (const Row& row : rows) {
    lines.push_back({row.model, absl::StrCat(row.parameters), row.optimizer,
                     row.schedule, absl::StrFormat("%.4g", row.rate),
                     absl::StrCat(row.batch), absl::StrCat(row.epochs),
                     Percent(row.validation), Percent(row.test),
                     absl::StrFormat("%.2f", row.seconds),
                     absl::StrFormat("%.0f", row.images_per_second)});
  }
  std::string text;
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::size_t width = 0;
      for (const Cells& other : lines) {
        width = std::max(width, other[i].size());
      }
      const bool is_text = i == 0 || i == 2 || i == 3;
      const int columns = static_cast<int>(width);
      absl::StrAppendFormat(&text, "%s%*s", i == 0 ? "" : "  ",
                            is_text ? -columns : columns, line[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace hpcnn::sweep
