// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What came of one run, as a line of the table and of the CSV file.

#ifndef HPCNN_TOOLS_SWEEP_ROW_H_
#define HPCNN_TOOLS_SWEEP_ROW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "tools/train/options.h"
#include "tools/train/phase.h"

namespace hpcnn::sweep {

struct Row {
  std::string model;
  std::size_t parameters;
  std::string optimizer;
  std::string schedule;
  float rate;
  std::size_t batch;
  std::uint32_t epochs;
  // Percent right; nothing where the training failed.
  std::optional<double> validation{};  // after the last epoch
  std::optional<double> test{};
  double seconds;  // with the validations, without the test
  double images_per_second;
};

// `result`: of a run to its end, or to its failure.
Row MakeRow(const train::Options& run, std::size_t parameters,
            const train::PhaseResult& result);

// Lines of CSV; numbers with as many digits as it takes to read them back.
std::string CsvHeader();
std::string CsvLine(const Row& row);

// Header and all rows, for people.
std::string Table(std::span<const Row> rows);

}  // namespace hpcnn::sweep

#endif  // HPCNN_TOOLS_SWEEP_ROW_H_
