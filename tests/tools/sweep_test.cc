// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:sweep as its users see it: which runs it makes, what it prints and
// writes, how it refuses and how it stops.

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/files.h"
#include "tests/testing/mnist_files.h"
#include "tests/testing/subprocess.h"

namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

ProgramResult Sweep(const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment = {},
                    const SignalPlan& plan = {}) {
  return RunProgram(DataPath("tools/sweep"), arguments, environment, plan);
}

using Cells = std::vector<std::string>;

constexpr char kHeader[] =
    "model,parameters,optimizer,schedule,lr,batch,epochs,val_accuracy,"
    "test_accuracy,seconds,images_per_second";
// Columns.
enum { kLr = 4, kValidation = 7, kTestAccuracy = 8, kSeconds = 9, kAll = 11 };

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// The rows of a CSV file, without its header.
std::vector<Cells> ReadCsv(const fs::path& path) {
  std::vector<std::string> lines = Lines(Read(path));
  if (lines.empty()) return {};
  EXPECT_EQ(lines.front(), kHeader);
  std::vector<Cells> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    rows.push_back(absl::StrSplit(lines[i], ','));
    EXPECT_THAT(rows.back(), SizeIs(kAll)) << lines[i];
    rows.back().resize(kAll);
  }
  return rows;
}

// The rows of the table on stdout, without its header.
std::vector<Cells> ReadTable(const std::string& out) {
  std::vector<Cells> rows;
  bool in_table = false;
  for (const std::string& line : Lines(out)) {
    if (in_table) {
      rows.push_back(absl::StrSplit(line, ' ', absl::SkipEmpty()));
      EXPECT_THAT(rows.back(), SizeIs(kAll)) << line;
      rows.back().resize(kAll);
    }
    in_table |= absl::StartsWith(line, "model ");
  }
  EXPECT_TRUE(in_table) << out;
  return rows;
}

// What was run: the first columns, with blanks between.
std::vector<std::string> Runs(const std::vector<Cells>& rows) {
  std::vector<std::string> runs;
  for (const Cells& row : rows) {
    runs.push_back(absl::StrJoin(row.begin(), row.begin() + kValidation, " "));
  }
  return runs;
}

// What does not depend on the time.
std::vector<std::string> Results(const std::vector<Cells>& rows) {
  std::vector<std::string> results;
  for (const Cells& row : rows) {
    results.push_back(absl::StrJoin(row.begin(), row.begin() + kSeconds, " "));
  }
  return results;
}

TEST(SweepTest, EveryCombinationIsARowInTheOrderOfTheLists) {
  const fs::path data = MakeData("rows");
  const fs::path csv = data / "s.csv";
  const ProgramResult r = Sweep(
      {"--data=" + data.string(), "--models=mlp,course",
       "--optimizers=sgd,adam", "--schedules=cosine,constant", "--lr=0.1,0.05",
       "--batch=32,16", "--epochs=2", "--csv=" + csv.string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  std::vector<std::string> expected;
  for (const char* model : {"mlp 101770", "course 23860"}) {
    for (const char* optimizer : {"sgd", "adam"}) {
      for (const char* schedule : {"cosine", "constant"}) {
        for (const char* lr : {"0.1", "0.05"}) {
          for (const char* batch : {"32", "16"}) {
            expected.push_back(absl::StrJoin(
                {model, optimizer, schedule, lr, batch, "2"}, " "));
          }
        }
      }
    }
  }
  const std::vector<Cells> rows = ReadCsv(csv);
  const std::vector<Cells> table = ReadTable(r.out);
  EXPECT_EQ(Runs(rows), expected);
  EXPECT_EQ(Runs(table), expected);
  ASSERT_EQ(rows.size(), table.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto number = [&](int column) {
      return std::atof(rows[i][static_cast<std::size_t>(column)].c_str());
    };
    EXPECT_EQ(absl::StrFormat("%.2f", number(kValidation)),
              table[i][kValidation]);
    EXPECT_EQ(absl::StrFormat("%.2f", number(kTestAccuracy)),
              table[i][kTestAccuracy]);
    EXPECT_EQ(absl::StrFormat("%.2f", number(kSeconds)), table[i][kSeconds]);
    // All digits of a fraction.
    const double right = number(kTestAccuracy) * kTest / 100;
    EXPECT_NEAR(right, std::round(right), 1e-9);
    EXPECT_GT(number(kSeconds), 0);
    EXPECT_GT(number(kAll - 1), 0);
  }
  EXPECT_THAT(r.out,
              StartsWith("Data: " + data.string() + " (--data): 220 training"));
  EXPECT_THAT(Lines(r.out)[1],
              testing::MatchesRegex(
                  "model +parameters +optimizer +schedule +lr +batch +epochs "
                  "+validation % +test % +seconds +images/s"));
  // A line a run.
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 32);
  EXPECT_THAT(r.err, StartsWith("run 1/32: mlp, sgd, cosine, lr 0.1, batch 32: "
                                "test "));
}

TEST(SweepTest, WithoutFlagsItComparesOptimizersWithTheirOwnRates) {
  const fs::path data = MakeData("defaults");
  const ProgramResult r = Sweep({}, {{"HPCNN_DATA", data.string()}});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(Runs(ReadTable(r.out)),
              ElementsAre("mlp 101770 sgd cosine 0.5 64 3",
                          "mlp 101770 momentum cosine 0.1 64 3",
                          "mlp 101770 adam cosine 0.002 64 3",
                          "course 23860 sgd cosine 1.5 64 3",
                          "course 23860 momentum cosine 0.3 64 3",
                          "course 23860 adam cosine 0.006 64 3"));
}

// The same run of //tools:train, as numbers in its file of metrics.
void ExpectSameAsTrain(const fs::path& data, const std::string& seed,
                       const std::string& augment) {
  const std::vector<std::string> common{
      "--data=" + data.string(), "--seed=" + seed, "--epochs=3", "--workers=2",
      "--augment=" + augment,    "--threads=1"};
  const auto with = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), common.begin(), common.end());
    return flags;
  };
  const fs::path csv = data / "s.csv";
  const fs::path metrics = data / "m.jsonl";
  const ProgramResult r = Sweep(with(
      {"--models=mlp,lenet", "--optimizers=momentum,adamw", "--lr=auto,0.03",
       "--batch=auto,20", "--schedules=onecycle", "--csv=" + csv.string()}));
  ASSERT_EQ(r.exit_code, 0) << r.err;
  std::vector<Cells> rows = ReadCsv(csv);
  ASSERT_EQ(rows.size(), 16u);
  std::size_t row = 0;
  for (const char* model : {"mlp", "lenet"}) {
    for (const char* optimizer : {"momentum", "adamw"}) {
      for (const char* lr : {"auto", "0.03"}) {
        for (const char* batch : {"auto", "20"}) {
          const ProgramResult t = RunProgram(
              DataPath("tools/train"),
              with({absl::StrCat("--model=", model),
                    absl::StrCat("--optimizer=", optimizer),
                    absl::StrCat("--lr=", lr), absl::StrCat("--batch=", batch),
                    "--schedule=onecycle", "--metrics=" + metrics.string()}));
          ASSERT_EQ(t.exit_code, 0) << t.err;
          const std::string text = Read(metrics);
          std::smatch match;
          ASSERT_TRUE(std::regex_search(
              text, match,
              std::regex("\"epoch\":3,\"val_accuracy\":([0-9.]+)[^$]*"
                         "\"test_accuracy\":([0-9.]+)")));
          EXPECT_NEAR(std::atof(rows[row][kValidation].c_str()),
                      std::stod(match[1]), 1e-4)
              << model << optimizer << lr << batch;
          EXPECT_NEAR(std::atof(rows[row][kTestAccuracy].c_str()),
                      std::stod(match[2]), 1e-4)
              << model << optimizer << lr << batch;
          ++row;
        }
      }
    }
  }
}

TEST(SweepTest, ARunIsTheSameAsTrains) {
  const fs::path data = MakeData("same");
  ExpectSameAsTrain(data, "1", "off");
  ExpectSameAsTrain(data, "7", "on");
}

TEST(SweepTest, ResultsDependOnTheSeedAndNotOnThreads) {
  const fs::path data = MakeData("seed");
  const fs::path csv = data / "s.csv";
  const auto results = [&](const char* seed, const char* threads,
                           const char* augment) {
    const ProgramResult r =
        Sweep({"--data=" + data.string(), absl::StrCat("--seed=", seed),
               absl::StrCat("--threads=", threads), "--batch=16,32",
               absl::StrCat("--augment=", augment), "--csv=" + csv.string()});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return Results(ReadCsv(csv));
  };
  const std::vector<std::string> first = results("1", "1", "off");
  EXPECT_EQ(first.size(), 12u);
  EXPECT_EQ(results("1", "2", "off"), first);
  EXPECT_NE(results("2", "1", "off"), first);
  EXPECT_NE(results("1", "1", "on"), first);
}

TEST(SweepTest, AFileSaysTheSameAndTheCommandLineWins) {
  const fs::path data = MakeData("file");
  Write(data / "course.sweep",
        "# Comments, blanks and the line ends of others do not matter.\r\n"
        "\n"
        "  models :course ,mlp-large   # the larger one last\r\n"
        "optimizers: adam\n"
        "schedules:constant\n"
        "lr: 0.25,auto\n"
        "batch: 10\n"
        "epochs: 1\n"
        "seed: 3\n"
        "workers: 2\n"
        "threads: 1\n"
        "augment: on\n"
        "preset: full\n"
        "data: .\n"
        "csv: from_file.csv");
  const std::map<std::string, std::string> there{
      {"BUILD_WORKING_DIRECTORY", data.string()}};
  ProgramResult r = Sweep({"--file=course.sweep"}, there);
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const std::vector<std::string> from_file{
      "course 23860 adam constant 0.25 10 1",
      "course 23860 adam constant 0.006 10 1",
      "mlp-large 535818 adam constant 0.25 10 1",
      "mlp-large 535818 adam constant 0.001 10 1"};
  EXPECT_EQ(Runs(ReadTable(r.out)), from_file);
  EXPECT_THAT(Runs(ReadCsv(data / "from_file.csv")), SizeIs(4));

  // The same by flags.
  const ProgramResult flags =
      Sweep({"--models=course,mlp-large", "--optimizers=adam",
             "--schedules=constant", "--lr=0.25,auto", "--batch=10",
             "--epochs=1", "--seed=3", "--workers=2", "--threads=1",
             "--augment=on", "--preset=full", "--data=.", "--csv=by_flags.csv"},
            there);
  ASSERT_EQ(flags.exit_code, 0) << flags.err;
  EXPECT_EQ(Results(ReadCsv(data / "by_flags.csv")),
            Results(ReadCsv(data / "from_file.csv")));

  // Even where the flag says what it would be without one.
  fs::remove(data / "from_file.csv");
  r = Sweep({"--models=mlp,course", "--lr", "auto", "--file=course.sweep",
             "--csv=", "-batch=64"},
            there);
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(Runs(ReadTable(r.out)),
              ElementsAre("mlp 101770 adam constant 0.002 64 1",
                          "course 23860 adam constant 0.006 64 1"));
  EXPECT_FALSE(fs::exists(data / "from_file.csv"));
}

TEST(SweepTest, ADivergedRunIsARowToo) {
  const fs::path data = MakeData("diverged");
  const ProgramResult r =
      Sweep({"--data=" + data.string(), "--models=mlp", "--lr=1e30,0.1234567",
             "--optimizers=sgd", "--csv=" + (data / "s.csv").string()});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(Lines(r.err),
              ElementsAre(AllOf(HasSubstr("epoch 1, batch 1: the output of"),
                                EndsWith("is not finite")),
                          HasSubstr(": test ")));
  const std::vector<Cells> rows = ReadCsv(data / "s.csv");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0][kLr], "1e+30");
  EXPECT_EQ(rows[0][kTestAccuracy], "");
  EXPECT_NE(rows[1][kTestAccuracy], "");
  EXPECT_EQ(ReadTable(r.out)[0][kValidation], "-");
  EXPECT_EQ(rows[1][kLr], "0.1234567");
}

TEST(SweepTest, HelpExplainsEveryFlag) {
  const ProgramResult r = Sweep({"--help"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "");
  for (const char* flag :
       {"models", "optimizers", "schedules", "lr", "batch", "augment", "epochs",
        "seed", "threads", "workers", "data", "preset", "csv", "file"}) {
    EXPECT_THAT(r.out, HasSubstr(absl::StrCat("  --", flag, "=")));
    EXPECT_THAT(std::regex_replace(r.out, std::regex("\\s+"), " "),
                HasSubstr(absl::StrCat("Example: --", flag, "=")));
  }
  for (const std::string& line : Lines(r.out)) EXPECT_LE(line.size(), 80u);
}

// ---- Stops ------------------------------------------------------------------

// Some seconds of runs.
std::vector<std::string> Many(const fs::path& data) {
  std::string rates = "0.1";
  for (int i = 1; i < 400; ++i) absl::StrAppend(&rates, ",0.", i);
  return {"--data=" + data.string(), "--models=mlp",
          "--optimizers=sgd",        "--epochs=50",
          "--lr=" + rates,           "--csv=" + (data / "s.csv").string()};
}

class SignalTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sweep, SignalTest, testing::Values(SIGINT, SIGTERM));

TEST_P(SignalTest, StopsSoonWithTheRowsSoFar) {
  const fs::path data = MakeData("signal");
  const ProgramResult r =
      Sweep(Many(data), {}, {.signal = GetParam(), .after = "run 3/400"});
  EXPECT_EQ(r.exit_code, 128 + GetParam()) << r.err;
  EXPECT_LT(r.seconds_after_signal, 2.0);
  EXPECT_THAT(r.err, EndsWith(": stopped\n"));
  const std::vector<Cells> rows = ReadCsv(data / "s.csv");
  EXPECT_GE(rows.size(), 2u);
  EXPECT_LT(rows.size(), 400u);
  EXPECT_EQ(Runs(ReadTable(r.out)), Runs(rows));
}

TEST(SweepTest, EachRowIsWrittenAfterItsRun) {
  const fs::path data = MakeData("killed");
  const ProgramResult r =
      Sweep(Many(data), {}, {.signal = SIGKILL, .after = "run 3/400"});
  EXPECT_EQ(r.exit_code, 128 + SIGKILL);
  EXPECT_GE(ReadCsv(data / "s.csv").size(), 2u);
}

TEST(SweepTest, AFullDiskIsAFailure) {
  const fs::path data = MakeData("full");
  const ProgramResult r =
      Sweep({"--data=" + data.string(), "--models=mlp", "--csv=/dev/full"});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_THAT(r.err, HasSubstr("\nsweep: --csv: /dev/full: could not write"));
  EXPECT_THAT(ReadTable(r.out), SizeIs(3));
}

// ---- Bad input --------------------------------------------------------------

void ExpectRefusal(const ProgramResult& r,
                   const std::vector<const char*>& expected,
                   const std::string& name) {
  EXPECT_EQ(r.exit_code, 2) << name << "\n" << r.out << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << name << r.err;
  EXPECT_THAT(r.err, StartsWith("sweep: ")) << name;
  EXPECT_EQ(r.out, "") << name;
  for (const char* text : expected) {
    EXPECT_THAT(r.err, HasSubstr(text)) << name;
  }
}

TEST(SweepTest, RefusesBadFlagsInOneLine) {
  const fs::path data = MakeData("flags");
  std::string many = "--batch=1";
  for (int i = 2; i <= 1667; ++i) absl::StrAppend(&many, ",", i);
  const std::vector<std::pair<std::string, std::vector<const char*>>> cases = {
      {"--models=mlp,resnet",
       {"--models: expected mlp or mlp-large or course", "\"resnet\""}},
      {"--models=", {"--models", "\"\""}},
      {"--models=mlp,,course", {"--models", "found \"\""}},
      {"--optimizers=sgd,lion", {"--optimizers: expected sgd or", "\"lion\""}},
      {"--schedules=linear", {"--schedules: expected cosine or", "\"linear\""}},
      {"--lr=0.1,0", {"--lr: expected auto, or a number above 0", "\"0\""}},
      {"--lr=0.1;0.2", {"--lr", "\"0.1;0.2\""}},
      {"--batch=64,0", {"--batch", "1 to 4096", "\"0\""}},
      {"--batch=5000", {"--batch", "1 to 4096"}},
      {many, {"--batch: expected at most 10000 runs", "6", "1667"}},
      {"--augment=both", {"--augment: expected on or off", "\"both\""}},
      {"--epochs=0", {"--epochs", "1 to", "\"0\""}},
      {"--epochs=1,2", {"--epochs", "\"1,2\""}},
      {"--seed=-1", {"--seed"}},
      {"--threads=0", {"--threads", "1 to 1024"}},
      {"--workers=1,2", {"--workers", "0 to 1024", "\"1,2\""}},
      {"--workers=1025", {"--workers", "0 to 1024"}},
      {"--preset=huge", {"--preset", "full or lowdata"}},
      {"--preset=lowdata", {"500 training", "found 300; give it more data"}},
      {"--data=", {"--data"}},
      {"--data=/no/such/folder", {"/no/such/folder", "no such folder"}},
      {"--model=mlp", {"--model", "--help"}},
      {"--val_size=3", {"--val_size", "--help"}},
      {"--lr", {"--lr", "a value"}},
      {"--flagfile=x", {"--flagfile"}},
      {"extra", {"\"extra\"", "--help"}},
      {"--csv=/no/such/folder/s.csv",
       {"--csv: /no/such/folder/s.csv: expected a file that can be written"}},
      // Not even root may make a file there.
      {"--csv=/sys/s.csv", {"--csv", "/sys/s.csv", "can be written"}},
      {"--csv=" + data.string(), {"--csv", "directory"}},
      {"--file=/no/such.sweep", {"/no/such.sweep", "a readable file"}},
      {"--file=" + data.string(), {"a directory"}},
      {"--models=a\nb", {"a\\nb"}},
      {"--file=/nope/a\nb", {"a\\nb"}},
      {"--csv=/nope/a\nb", {"a\\nb"}},
  };
  for (const auto& [flag, expected] : cases) {
    ExpectRefusal(Sweep({"--data=" + data.string(), flag}), expected, flag);
  }
}

TEST(SweepTest, RefusesBadFilesWithTheLine) {
  const fs::path data = MakeData("lines");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"# course\n\nmodles: mlp\n",
       "line 3: expected models, optimizers, schedules, lr, batch, augment, "
       "epochs, seed, threads, workers, data, preset, csv, found \"modles\"\n"},
      {"file: other.sweep", "line 1: expected models, "},
      {"val_size: 3", "line 1: expected models, "},
      {": mlp", "found \"\"\n"},
      {"lr: 0.1\nmlp, course\n",
       "line 2: expected name: value, found \"mlp, course\"\n"},
      {"lr: 0.1\nlr: 0.2\n",
       "line 2: expected each name once, found \"lr: 0.2\"\n"},
      {"models: mlp, resnet", "line 1: models: expected mlp or "},
      {"models:", "line 1: models: expected mlp or "},
      {"\noptimizers: lion", "line 2: optimizers: expected sgd or "},
      {"schedules: linear", "line 1: schedules: expected cosine or "},
      {"lr: auto, 0",
       "line 1: lr: expected auto, or a number above 0, found "
       "\"0\"; --help shows examples\n"},
      {"batch: 0", "line 1: batch: expected a whole number from 1 to 4096"},
      {"augment: both", "line 1: augment: expected on or off, found \"both\""},
      {"epochs: 1, 2", "line 1: epochs: expected a whole number from 1"},
      {"seed: x", "line 1: seed: expected "},
      {"threads: 0", "line 1: threads: expected "},
      {"workers: 1, 2", "line 1: workers: expected "},
      {"data:", "line 1: data: expected "},
      {"preset: huge", "line 1: preset: expected full or lowdata"},
      {std::string("a\0b\x1b\xff: c", 7), "found \"a\\000b\\033\xff\"\n"},
  };
  for (const auto& [text, expected] : cases) {
    Write(data / "course.sweep", text);
    // A good value on the command line does not excuse the file.
    const ProgramResult r = Sweep({"--file=course.sweep", "--data=synthetic"},
                                  {{"BUILD_WORKING_DIRECTORY", data.string()}});
    ExpectRefusal(r, {expected.c_str()}, text);
    EXPECT_THAT(r.err, StartsWith("sweep: course.sweep: line ")) << text;
  }
  Write(data / "course.sweep", std::string((1 << 20) + 1, '\n'));
  ExpectRefusal(Sweep({"--file=" + (data / "course.sweep").string()}),
                {"at most 1048576 bytes"}, "large");
}

TEST(SweepTest, ABadFlagLeavesAnOldTableAlone) {
  const fs::path data = MakeData("keep");
  Write(data / "s.csv", "old");
  Sweep({"--data=/nope", "--csv=" + (data / "s.csv").string()});
  EXPECT_EQ(Read(data / "s.csv"), "old");
}

}  // namespace
