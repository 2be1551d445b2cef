// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench/compile_time
//
// What a program that trains a network costs to compile, by the number of its
// layers: processor seconds (other programs hardly change those), peak memory
// and size of the object, for every compiler that is there. Compilers and their
// flags are a user's: -O3 -march=native.

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Dense and Relu in turn, of different sizes, so that nothing is shared.
std::string Program(int layers) {
  std::string net = "Flatten";
  for (int i = 1; i < layers - 1; ++i) {
    net += i % 2 == 1 ? ", Dense<" + std::to_string(128 - i) + ">" : ", Relu";
  }
  net += ", Dense<10>";
  return R"(#include "hpcnn/hpcnn.h"
using namespace hpcnn;
using Net = Sequential<Input<1, 28, 28>, )" +
         net + R"(>;
int main() {
  const auto digits = MakeSyntheticDigits(1000, 1);
  ThreadPool pool(2);
  Trainer<Net, SoftmaxCrossEntropy, Momentum> trainer(pool, 64, Momentum{}, 1);
  BatchLoader loader(digits, ShuffledSampler(1000, 1),
                     AugmentPipeline<Shape<1, 28, 28>>(1), {.workers = 2},
                     &pool);
  Fit(trainer, loader, digits);
}
)";
}

struct Cost {
  bool worked = false;
  double seconds = 0;
  double megabytes = 0;
};

Cost Compile(const std::string& compiler, const fs::path& source,
             const fs::path& object) {
  const pid_t child = fork();
  if (child == 0) {
    execlp(compiler.c_str(), compiler.c_str(), "-std=c++20", "-O3",
           "-march=native", "-c", source.c_str(), "-o", object.c_str(), "-I.",
           "-isystem", HPCNN_HIGHWAY_INCLUDE, nullptr);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) +
           1e-6 * static_cast<double>(t.tv_usec);
  };
  return {status == 0, seconds(usage.ru_utime) + seconds(usage.ru_stime),
          static_cast<double>(usage.ru_maxrss) / 1024};
}

bool Exists(const std::string& compiler) {
  return std::system((compiler + " --version >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

int main() {
  std::string scratch = fs::temp_directory_path() / "compile_time.XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) {
    std::perror(scratch.c_str());
    return 1;
  }
  const fs::path source = fs::path(scratch) / "net.cc";
  const fs::path object = fs::path(scratch) / "net.o";
  bool worked = true;
  std::printf("%-10s %7s %10s %10s %12s\n", "compiler", "layers", "cpu s",
              "peak MB", "object KB");
  for (const std::string compiler : {"g++", "clang++"}) {
    if (!Exists(compiler)) continue;
    for (const int layers : {3, 5, 10, 20}) {
      std::ofstream(source) << Program(layers);
      const Cost cost = Compile(compiler, source, object);
      worked &= cost.worked;
      std::printf("%-10s %7d %10.2f %10.0f %12.0f\n", compiler.c_str(), layers,
                  cost.seconds, cost.megabytes,
                  static_cast<double>(fs::file_size(object)) / 1024);
      std::fflush(stdout);
    }
  }
  fs::remove_all(scratch);
  return worked ? 0 : 1;
}
