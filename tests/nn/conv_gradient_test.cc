// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "gtest/gtest.h"
#include "tests/nn/gradient_cases.h"

namespace hpcnn_test {
namespace {

template <class Layer>
class ConvGradientTest : public ::testing::Test {};
TYPED_TEST_SUITE(ConvGradientTest, ConvLayers);

TYPED_TEST(ConvGradientTest, EqualsFiniteDifferences) {
  ExpectGradientsOfDifferences<TypeParam>();
}

}  // namespace
}  // namespace hpcnn_test
