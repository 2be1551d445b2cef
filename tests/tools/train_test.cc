// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:train as its users see it: what it prints, what it writes, how it
// refuses and how it stops.

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hpcnn/data/synthetic_digits.h"
#include "hpcnn/io/gzip.h"
#include "hpcnn/io/idx.h"
#include "tests/testing/files.h"
#include "tests/testing/mnist_files.h"
#include "tests/testing/subprocess.h"

namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

ProgramResult Train(const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment = {},
                    const SignalPlan& plan = {}) {
  return RunProgram(DataPath("tools/train"), arguments, environment, plan);
}

std::vector<std::string> AllMatches(const std::string& text,
                                    const std::string& pattern) {
  std::vector<std::string> matches;
  const std::regex regex(pattern);
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end;
       ++i) {
    matches.push_back((*i)[1]);
  }
  return matches;
}

TEST(TrainTest, PrintsTheCoursesLinesAndTables) {
  const fs::path data = MakeData("prints");
  const ProgramResult r =
      Train({"--data=" + data.string(), "--epochs=2", "--workers=1,3",
             "--metrics=" + (data / "m.jsonl").string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("220 training, 20 validation, 60 test images"));
  EXPECT_EQ(AllMatches(r.out, R"((Epoch \d, accuracy \d+\.\d\d %\.)\n)").size(),
            6u);
  EXPECT_EQ(AllMatches(r.out, R"((Time regular: [\d.]+)\n)").size(), 1u);
  EXPECT_EQ(
      AllMatches(r.out, R"((Time with image processing: [\d.]+)\n)").size(),
      2u);
  EXPECT_EQ(AllMatches(r.out, R"((Test Accuracy: [\d.]+%)\n)").size(), 3u);
  EXPECT_THAT(r.out, HasSubstr("Starting 1 workers...\n"));
  EXPECT_THAT(r.out, HasSubstr("Starting 3 workers...\n"));
  EXPECT_THAT(r.out, HasSubstr("Workers: 1 (--workers), 1 run, 0 parked;"));
  EXPECT_THAT(r.out, HasSubstr("data wait"));
  // One line an epoch on stderr when it is no terminal.
  EXPECT_EQ(AllMatches(r.err, "(epoch \\d/2: loss)").size(), 6u);

  const std::string metrics = Read(data / "m.jsonl");
  EXPECT_EQ(AllMatches(metrics, R"((\{"event":"epoch",.*\})\n)").size(), 6u);
  EXPECT_EQ(AllMatches(metrics, R"((\{"event":"summary",.*\})\n)").size(), 3u);
  for (const char* key : {"phase", "epoch", "val_accuracy", "loss", "seconds",
                          "images_per_second", "wait_fraction", "test_accuracy",
                          "weights_sha256", "workers", "threads"}) {
    EXPECT_THAT(metrics, HasSubstr(std::string("\"") + key + "\":"));
  }
}

TEST(TrainTest, WeightsAreTheSameForAnyWorkersAndThreads) {
  const fs::path data = MakeData("same");
  const fs::path metrics = data / "m.jsonl";
  for (const char* model : {"mlp", "mlp-large", "course", "lenet", "cnn"}) {
    SCOPED_TRACE(model);
    std::set<std::string> plain, augmented;
    for (const char* threads : {"1", "2"}) {
      const ProgramResult r =
          Train({"--data=" + data.string(), std::string("--model=") + model,
                 "--epochs=3", "--workers=0,1,2,7,32",
                 std::string("--threads=") + threads,
                 "--metrics=" + metrics.string()});
      ASSERT_EQ(r.exit_code, 0) << r.err;
      const std::string text = Read(metrics);
      for (const auto& sha : AllMatches(
               text,
               "\"phase\":\"plain\".*\"weights_sha256\":\"([0-9a-f]{64})")) {
        plain.insert(sha);
      }
      const auto shas = AllMatches(
          text, "\"phase\":\"augmented\".*\"weights_sha256\":\"([0-9a-f]{64})");
      EXPECT_EQ(shas.size(), 5u);
      augmented.insert(shas.begin(), shas.end());
    }
    EXPECT_EQ(plain.size(), 1u);
    EXPECT_EQ(augmented.size(), 1u);
    EXPECT_NE(plain, augmented);
  }
}

TEST(TrainTest, EveryChoiceRuns) {
  const fs::path data = MakeData("choices");
  const auto runs = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> all{"--data=" + data.string(),
                                 "--epochs=2",
                                 "--workers=2",
                                 "--batch=20",
                                 "--val_size=30",
                                 "--batches_per_epoch=5",
                                 "--seed=18446744073709551615"};
    all.insert(all.end(), flags.begin(), flags.end());
    const ProgramResult r = Train(all);
    EXPECT_EQ(r.exit_code, 0) << testing::PrintToString(flags) << r.err;
    EXPECT_THAT(r.out, HasSubstr("210 training, 30 validation"));
  };
  for (const char* model : {"mlp", "mlp-large", "course", "lenet", "cnn"}) {
    for (const char* policy : {"scalar", "simd"}) {
      runs(
          {absl::StrCat("--model=", model), absl::StrCat("--policy=", policy)});
    }
  }
  for (const char* optimizer :
       {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"}) {
    runs({absl::StrCat("--optimizer=", optimizer), "--lr=0.01",
          "--weight_decay=0.001"});
  }
  for (const char* schedule :
       {"cosine", "constant", "step", "onecycle", "plateau"}) {
    runs({absl::StrCat("--schedule=", schedule)});
  }
  const std::vector<std::string> common{"--data=" + data.string(),
                                        "--epochs=1"};
  auto with = [&](const char* flag) {
    std::vector<std::string> all = common;
    all.push_back(flag);
    return Train(all).out;
  };
  EXPECT_THAT(with("--augment=on"), Not(HasSubstr("Time regular")));
  EXPECT_THAT(with("--augment=off"), Not(HasSubstr("image processing")));
}

TEST(TrainTest, ATerminalShowsABarThatIsWipedAway) {
  const fs::path data = MakeData("bar");
  const ProgramResult r =
      Train({"--data=" + data.string(), "--epochs=2", "--augment=off"},
            {{"STDERR_IS_TERMINAL", "1"}});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  // At once, then ten times a second; wiped away before each epoch's line.
  EXPECT_THAT(r.err,
              MatchesRegex("(\rplain epoch [12]/2 \\[[#.]+\\] "
                           "[0-9]+/[0-9]+  [0-9]+ k img/s  eta [0-9]+ s  "
                           "loss [0-9.]+ |\r\33\\[K)+"));
  EXPECT_THAT(r.err, StartsWith("\rplain epoch 1/2 [######..................] "
                                "1/4  "));
  EXPECT_THAT(r.err, EndsWith("\r\33[K"));
}

TEST(TrainTest, ARunThatDivergesStopsAndSaysWhere) {
  const fs::path data = MakeData("diverged");
  const ProgramResult r =
      Train({"--data=" + data.string(), "--epochs=2", "--lr=1e30",
             "--metrics=" + (data / "m.jsonl").string()});
  EXPECT_EQ(r.exit_code, 1) << r.err;
  EXPECT_THAT(r.err, MatchesRegex(
                         "train: epoch 1, batch 1: the output of layer "
                         "[0-9]+ \\(Dense\\).* of sample [0-9]+ is not finite; "
                         "the weights are those before that batch; try a "
                         "smaller --lr\n"));
  EXPECT_THAT(r.out, HasSubstr("Stopped after 0 of 2 epochs."));
  EXPECT_THAT(r.out, Not(HasSubstr("workers")));  // nothing after it
  const std::string metrics = Read(data / "m.jsonl");
  EXPECT_THAT(metrics, HasSubstr("\"stopped\":true,\"failure\":\"epoch 1, "
                                 "batch 1: the output of layer "));
  EXPECT_THAT(metrics, Not(HasSubstr("nan")));
}

TEST(TrainTest, RelativePathsStartWhereTheUserIs) {
  const fs::path data = MakeData("where");
  const ProgramResult r =
      Train({"--data=.", "--epochs=1", "--augment=off", "--metrics=m.jsonl"},
            {{"BUILD_WORKING_DIRECTORY", data.string()}});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_TRUE(fs::exists(data / "m.jsonl"));
}

TEST(TrainTest, DataComesFromTheEnvironment) {
  const fs::path data = MakeData("environment");
  const ProgramResult r =
      Train({"--epochs=1", "--augment=off"}, {{"HPCNN_DATA", data.string()}});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("HPCNN_DATA"));
}

TEST(TrainTest, WorkersComeFromSlurm) {
  const fs::path data = MakeData("slurm");
  const ProgramResult r =
      Train({"--data=" + data.string(), "--epochs=1", "--augment=on"},
            {{"SLURM_CPUS_PER_TASK", "5"}});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("Starting 5 workers..."));
  EXPECT_THAT(r.out, HasSubstr("SLURM_CPUS_PER_TASK"));
}

TEST(TrainTest, SlurmCannotAskForMoreWorkersThanAPersonMay) {
  const fs::path data = MakeData("slurm");
  const ProgramResult r = Train(
      {"--data=" + data.string(), "--epochs=1", "--augment=on", "--threads=1"},
      {{"SLURM_CPUS_PER_TASK", "1100"}});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("Starting 1024 workers..."));
}

TEST(TrainTest, HelpExplainsEveryFlag) {
  const ProgramResult r = Train({"--help"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "");
  for (const char* flag :
       {"workers", "threads", "data", "preset", "val_size", "model", "policy",
        "epochs", "batch", "batches_per_epoch", "optimizer", "lr", "augment",
        "seed", "metrics", "save"}) {
    EXPECT_THAT(r.out, HasSubstr(std::string("  --") + flag + "="));
    EXPECT_THAT(std::regex_replace(r.out, std::regex("\\s+"), " "),
                HasSubstr(std::string("Example: --") + flag + "="));
  }
}

class SignalTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Train, SignalTest, testing::Values(SIGINT, SIGTERM));

TEST_P(SignalTest, StopsSoonWithWhatWasMeasured) {
  const fs::path data = MakeData("signal");
  for (const char* after : {"Epoch 2,", "Starting 32"}) {
    const ProgramResult r =
        Train({"--data=" + data.string(),
               after[0] == 'E' ? "--epochs=1000000" : "--epochs=2000",
               "--workers=32", "--metrics=" + (data / "m.jsonl").string()},
              {}, {.signal = GetParam(), .after = after});
    EXPECT_EQ(r.exit_code, 128 + GetParam()) << r.err;
    EXPECT_THAT(r.out, HasSubstr("Stopped after"));
    EXPECT_THAT(Read(data / "m.jsonl"), HasSubstr("\"stopped\":true"));
    EXPECT_LT(r.seconds_after_signal, 2.0);
  }
}

// The slowest moment: all test images, without SIMD.
TEST_P(SignalTest, StopsSoonWhileItTests) {
  const ProgramResult r =
      Train({"--data=synthetic", "--preset=lowdata", "--policy=scalar",
             "--epochs=1", "--batches_per_epoch=1", "--val_size=100"},
            {}, {.signal = GetParam(), .after = "Epoch 1,"});
  EXPECT_EQ(r.exit_code, 128 + GetParam()) << r.err;
  EXPECT_THAT(r.out, HasSubstr("Stopped after 1 of 1 epochs"));
  EXPECT_LT(r.seconds_after_signal, 2.0);
}

// ---- Bad input ------------------------------------------------------------

struct BadData {
  const char* name;
  std::function<void(const fs::path&)> damage;
  std::vector<const char*> expected;
};

std::string Patch(std::string file, std::size_t offset,
                  const std::string& with) {
  return file.replace(offset, with.size(), with);
}

// A gzip stream of 200 MB of zeros: some 200 KB.
std::string Bomb() {
  return hpcnn::Gzip(ImagesFile(kTrain) + std::string(200'000'000, '\0'));
}

const char kImages[] = "train-images-idx3-ubyte";
const char kLabels[] = "train-labels-idx1-ubyte";

void ReplaceByGzip(const fs::path& folder, const std::string& packed) {
  fs::remove(folder / kImages);
  Write(folder / (std::string(kImages) + ".gz"), packed);
}

const std::vector<BadData>& BadDataCases() {
  static const std::vector<BadData> cases = {
      {"missing folder",
       [](const fs::path& f) { fs::remove_all(f); },
       {"no such folder", "fetch_mnist"}},
      {"a file for the folder",
       [](const fs::path& f) {
         fs::remove_all(f);
         Write(f, "x");
       },
       {"found a file", "fetch_mnist"}},
      {"missing file",
       [](const fs::path& f) { fs::remove(f / kLabels); },
       {"train-labels", "no such file", "fetch_mnist"}},
      {"wrong magic",
       [](const fs::path& f) {
         Write(f / kImages, Patch(ImagesFile(kTrain), 0, "PK"));
       },
       {kImages, "offset 0", "expected"}},
      {"wrong element type",
       [](const fs::path& f) {
         Write(f / kImages, Patch(ImagesFile(kTrain), 2, "\x0d"));
       },
       {kImages, "offset 2", "expected"}},
      {"truncated header",
       [](const fs::path& f) {
         Write(f / kImages, ImagesFile(kTrain).substr(0, 9));
       },
       {kImages, "expected"}},
      {"truncated",
       [](const fs::path& f) {
         Write(f / kImages, ImagesFile(kTrain).substr(0, 1000));
       },
       {kImages, "offset 16", "188160 bytes", "984"}},
      {"trailing bytes",
       [](const fs::path& f) { Write(f / kImages, ImagesFile(kTrain) + "x"); },
       {kImages, "offset 188176", "end of the file"}},
      {"dimensions overflow",
       [](const fs::path& f) {
         Write(f / kImages,
               Patch(ImagesFile(kTrain), 4, std::string(12, '\xff')));
       },
       {kImages, "expected"}},
      {"label out of range",
       [](const fs::path& f) {
         Write(f / kLabels, Patch(LabelsFile(kTrain), 8 + 17, "\x0a"));
       },
       {kLabels, "offset 25", "0 to 9", "found 10"}},
      {"counts differ",
       [](const fs::path& f) { Write(f / kLabels, LabelsFile(kTrain - 1)); },
       {kLabels, "offset 4", "240 labels", "found 239"}},
      {"corrupt gzip",
       [](const fs::path& f) {
         ReplaceByGzip(f, Patch(hpcnn::Gzip(ImagesFile(kTrain)), 500, "????"));
       },
       {".gz", "expected", "found"}},
      {"truncated gzip",
       [](const fs::path& f) {
         ReplaceByGzip(f, hpcnn::Gzip(ImagesFile(kTrain)).substr(0, 5000));
       },
       {".gz", "expected", "found"}},
      {"gzip bomb",
       [](const fs::path& f) { ReplaceByGzip(f, Bomb()); },
       {".gz", "end of the file"}},
      {"honest gzip bomb",
       [](const fs::path& f) {
         ReplaceByGzip(f, hpcnn::Gzip(Patch(ImagesFile(kTrain), 4,
                                            std::string("\0\x14\xe5\xe0", 4))));
       },
       {".gz", "at most 268435456 bytes"}},
      {"empty file",
       [](const fs::path& f) { Write(f / kImages, ""); },
       {kImages, "offset 0", "expected"}},
      {"directory in place of a file",
       [](const fs::path& f) {
         fs::remove(f / kImages);
         fs::create_directory(f / kImages);
       },
       {kImages, "expected", "directory"}},
      {"not 28 x 28",
       [](const fs::path& f) {
         const std::vector<std::uint32_t> dims{kTrain, 14, 56};
         const auto digits = hpcnn::MakeSyntheticDigits(kTrain, 1);
         Write(f / kImages,
               hpcnn::FormatIdx<std::uint8_t>(dims, digits.pixels()));
       },
       {kImages, "28 x 28", "14 x 56"}},
  };
  return cases;
}

void ExpectRefusal(const ProgramResult& r,
                   const std::vector<const char*>& expected,
                   const std::string& name) {
  EXPECT_EQ(r.exit_code, 2) << name << "\n" << r.out << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << name << r.err;
  EXPECT_THAT(r.err, StartsWith("train: ")) << name;
  EXPECT_EQ(r.out, "") << name;
  for (const char* text : expected) {
    EXPECT_THAT(r.err, HasSubstr(text)) << name;
  }
}

TEST(TrainTest, RefusesBadDataInOneLine) {
  for (const BadData& bad : BadDataCases()) {
    const fs::path data = MakeData("bad");
    bad.damage(data);
    const ProgramResult r = Train({"--data=" + data.string(), "--epochs=1"});
    ExpectRefusal(r, bad.expected, bad.name);
    EXPECT_THAT(
        r.err,
        MatchesRegex("train: .+: offset [0-9]+: expected .+, found .+; .+\n"))
        << bad.name;
  }
}

TEST(TrainTest, RefusesBadFlagsInOneLine) {
  const fs::path data = MakeData("flags");
  const std::vector<std::pair<std::string, std::vector<const char*>>> cases = {
      {"--workers=-1", {"--workers", "0 to 1024", "\"-1\""}},
      {"--workers=abc", {"--workers", "\"abc\""}},
      {"--workers=8,,16", {"--workers", "\"8,,16\""}},
      {"--workers=", {"--workers", "\"\""}},
      {"--workers=99999999999999999999", {"--workers"}},
      {"--workers", {"--workers", "a value"}},
      {"--threads=0", {"--threads", "1 to 1024", "\"0\""}},
      {"--epochs=0", {"--epochs", "1 to", "\"0\""}},
      {"--epochs=1.5", {"--epochs", "\"1.5\""}},
      {"--batch=0", {"--batch"}},
      {"--batch=1e9", {"--batch"}},
      {"--batches_per_epoch=0", {"--batches_per_epoch"}},
      {"--batches_per_epoch=99999999", {"--batches_per_epoch"}},
      {"--val_size=0", {"--val_size"}},
      {"--val_size=240", {"240 validation", "--val_size"}},
      {"--preset=lowdata", {"500 training", "found 300"}},
      {"--preset=huge", {"--preset", "full or lowdata", "\"huge\""}},
      {"--model=resnet",
       {"--model", "mlp or mlp-large or course or lenet or cnn", "\"resnet\""}},
      {"--policy=cuda", {"--policy", "not available yet"}},
      {"--policy=cuda-sim", {"--policy", "not available yet"}},
      {"--policy=gpu", {"--policy", "scalar or simd"}},
      {"--optimizer=lion",
       {"--optimizer", "sgd or momentum or nesterov or rmsprop or adam"}},
      {"--schedule=linear", {"--schedule", "cosine or constant or step"}},
      {"--weight_decay=-1", {"--weight_decay", "0 or more"}},
      {"--lr=0", {"--lr", "above 0"}},
      {"--lr=nan", {"--lr"}},
      {"--lr=inf", {"--lr"}},
      {"--augment=maybe", {"--augment", "both or on or off"}},
      {"--seed=-1", {"--seed"}},
      {"--save=w.safetensors", {"--save", "not available yet"}},
      {"--data=", {"--data"}},
      {"--wrokers=3", {"--wrokers", "--help"}},
      {"--flagfile=x", {"--flagfile"}},
      {"--undefok=x", {"--undefok"}},
      {"extra", {"\"extra\"", "--help"}},
      // Not even root may make a file there.
      {"--metrics=/sys/m.jsonl",
       {"--metrics", "/sys/m.jsonl", "can be written"}},
      {"--metrics=/no/such/folder/m.jsonl", {"--metrics", "/no/such/folder"}},
      {"--metrics=" + data.string(), {"--metrics", "directory"}},
  };
  for (const auto& [flag, expected] : cases) {
    ExpectRefusal(Train({"--data=" + data.string(), flag}), expected, flag);
  }
}

TEST(TrainTest, RefusesAMetricsFileWithoutPermission) {
  const fs::path data = MakeData("permission");
  fs::permissions(data, fs::perms::owner_read | fs::perms::owner_exec |
                            fs::perms::others_read | fs::perms::others_exec);
  const ProgramResult r =
      Train({"--data=synthetic", "--metrics=" + (data / "m.jsonl").string()},
            {{"UNPRIVILEGED", "1"}});
  fs::permissions(data, fs::perms::owner_all);
  if (r.exit_code == 126 || r.exit_code == 127) {
    GTEST_SKIP() << "here the program cannot run as nobody: " << r.err;
  }
  ExpectRefusal(r, {"--metrics", "expected a file that can be written"},
                "permission");
}

TEST(TrainTest, RefusalsAreOneLineWhateverTheInput) {
  for (const char* flag : {"--model=a\nb", "a\nb", "--a\nb=1",
                           "--metrics=/nope/a\nb", "--data=/nope/a\nb"}) {
    ExpectRefusal(Train({"--data=synthetic", flag}), {"a\\nb"}, flag);
  }
}

TEST(TrainTest, ABadFlagLeavesOldMetricsAlone) {
  const fs::path data = MakeData("keep");
  Write(data / "m.jsonl", "old");
  Train({"--data=/nope", "--metrics=" + (data / "m.jsonl").string()});
  EXPECT_EQ(Read(data / "m.jsonl"), "old");
}

TEST(TrainTest, AFullDiskIsAFailure) {
  const fs::path data = MakeData("full");
  const ProgramResult r =
      Train({"--data=" + data.string(), "--epochs=1", "--metrics=/dev/full"});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_THAT(r.err, HasSubstr("train: --metrics: /dev/full: could not write"));
}

TEST(TrainTest, AClosedStdoutDoesNotEndUpInTheMetrics) {
  const fs::path data = MakeData("closed");
  const ProgramResult r = RunProgram(
      "/bin/sh",
      {"-c", DataPath("tools/train") + " --epochs=1 --data=" + data.string() +
                 " --metrics=" + (data / "m.jsonl").string() + " >&-"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(Read(data / "m.jsonl"), StartsWith("{"));
  EXPECT_THAT(Read(data / "m.jsonl"), Not(HasSubstr("Epoch")));
}

}  // namespace
