// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/run_model.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "hpcnn/base/check.h"
#include "tools/train/models.h"

namespace hpcnn::train {

extern template void RunNetwork<MlpModel>(const Job&);
extern template void RunNetwork<MlpLargeModel>(const Job&);
extern template void RunNetwork<CourseModel>(const Job&);
extern template void RunNetwork<LenetModel>(const Job&);
extern template void RunNetwork<CnnModel>(const Job&);

namespace {

struct Model {
  std::string_view name;
  std::size_t parameters;
  void (*run)(const Job&);
};

template <class Net>
constexpr Model MakeModel(std::string_view name) {
  return {name, Net::kParameterCount, &RunNetwork<Net>};
}

const Model& FindModel(std::string_view name) {
  static constexpr Model kModels[] = {
      MakeModel<MlpModel>("mlp"),       MakeModel<MlpLargeModel>("mlp-large"),
      MakeModel<CourseModel>("course"), MakeModel<LenetModel>("lenet"),
      MakeModel<CnnModel>("cnn"),
  };
  const auto* const model = std::ranges::find(kModels, name, &Model::name);
  HPCNN_CHECK(model != std::end(kModels), "options name a known model");
  return *model;
}

}  // namespace

std::size_t ParameterCount(std::string_view model) {
  return FindModel(model).parameters;
}

void RunModel(const Job& job) { FindModel(job.options.model).run(job); }

}  // namespace hpcnn::train
