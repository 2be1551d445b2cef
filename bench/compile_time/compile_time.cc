// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench/compile_time
//
// What a program that trains a network costs to compile, by the number of its
// layers, and with a convolutional one of 20: processor seconds (other programs hardly change those), peak memory
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
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Dense and Relu in turn, of different sizes, so that nothing is shared.
std::string DenseLayers(int layers) {
  std::string net = "Flatten";
  for (int i = 1; i < layers - 1; ++i) {
    net += i % 2 == 1 ? ", Dense<" + std::to_string(128 - i) + ">" : ", Relu";
  }
  return net + ", Dense<10>";
}

// Six convolutions, no two alike, three of them normalised: 20 layers.
constexpr char kConvLayers[] =
    "Conv2d<8, 5, 5>, BatchNorm, Relu, Conv2d<12, 3, 3>, Relu, "
    "Conv2d<16, 3, 3>, BatchNorm, Relu, MaxPool<2>, "
    "Conv2d<24, 3, 3, Stride<1>, Padding<1>>, Relu, "
    "Conv2d<32, 3, 3>, BatchNorm, Relu, Conv2d<40, 1, 1>, Relu, "
    "Flatten, Dense<64>, Relu, Dense<10>";

std::string Program(const std::string& net) {
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
  std::printf("%-10s %-22s %10s %10s %12s\n", "compiler", "network", "cpu s",
              "peak MB", "object KB");
  for (const std::string compiler : {"g++", "clang++"}) {
    if (!Exists(compiler)) continue;
    std::vector<std::pair<std::string, std::string>> nets;
    for (const int layers : {3, 5, 10, 30}) {
      nets.emplace_back(std::to_string(layers) + " layers",
                        DenseLayers(layers));
    }
    nets.emplace_back("20 layers, 6 conv2d", kConvLayers);
    for (const auto& [name, layers] : nets) {
      std::ofstream(source) << Program(layers);
      const Cost cost = Compile(compiler, source, object);
      worked &= cost.worked;
      std::printf("%-10s %-22s %10.2f %10.0f %12.0f\n", compiler.c_str(),
                  name.c_str(), cost.seconds, cost.megabytes,
                  static_cast<double>(fs::file_size(object)) / 1024);
      std::fflush(stdout);
    }
  }
  fs::remove_all(scratch);
  return worked ? 0 : 1;
}
