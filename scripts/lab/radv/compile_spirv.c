/* compile_spirv FILE ENTRY: what the first Vulkan driver compiles of a compute shader, as text:
 * its statistics, then its assembly. Meant for Mesa's RADV without a card:
 *
 *   RADV_FORCE_FAMILY=navi21 compile_spirv 0.spv scan_shared
 *
 * The layout is that of the miner's kernel: a uniform buffer and two storage buffers in set 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define CALL(what)                                                                   \
    do {                                                                             \
        VkResult result_ = (what);                                                   \
        if (result_ != VK_SUCCESS) {                                                 \
            fprintf(stderr, "compile_spirv: %s: error %d\n", #what, (int)result_);   \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

static uint32_t *read_words(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) exit((perror(path), 1));
    long bytes = ftell(file);
    rewind(file);
    uint32_t *words = malloc((size_t)bytes);
    if (!words || fread(words, 1, (size_t)bytes, file) != (size_t)bytes) exit((perror(path), 1));
    fclose(file);
    *size = (size_t)bytes;
    return words;
}

static VkPhysicalDevice first_card(void) {
    VkApplicationInfo about = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_3};
    VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &about};
    VkInstance instance;
    CALL(vkCreateInstance(&info, NULL, &instance));
    VkPhysicalDevice card = VK_NULL_HANDLE;
    uint32_t count = 1;
    vkEnumeratePhysicalDevices(instance, &count, &card);
    if (count == 0) exit((fputs("compile_spirv: no device\n", stderr), 1));
    VkPhysicalDeviceProperties facts;
    vkGetPhysicalDeviceProperties(card, &facts);
    printf("device: %s\n", facts.deviceName);
    return card;
}

static VkDevice open_card(VkPhysicalDevice card) {
    float priority = 1;
    VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1,
        .pQueuePriorities = &priority};
    const char *extension = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR tells = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR,
        .pipelineExecutableInfo = VK_TRUE};
    VkPhysicalDeviceVulkan12Features more = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &tells,
        .vulkanMemoryModel = VK_TRUE};
    VkDeviceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &more, .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue, .enabledExtensionCount = 1,
        .ppEnabledExtensionNames = &extension};
    VkDevice device;
    CALL(vkCreateDevice(card, &info, NULL, &device));
    return device;
}

static VkPipeline compile(VkDevice device, const char *path, const char *entry) {
    VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    code.pCode = read_words(path, &code.codeSize);
    VkShaderModule module;
    CALL(vkCreateShaderModule(device, &code, NULL, &module));
    VkDescriptorSetLayoutBinding bindings[3];
    for (uint32_t i = 0; i < 3; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){
            i, i ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1,
            VK_SHADER_STAGE_COMPUTE_BIT, NULL};
    VkDescriptorSetLayoutCreateInfo set_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = 3,
        .pBindings = bindings};
    VkDescriptorSetLayout set;
    CALL(vkCreateDescriptorSetLayout(device, &set_info, NULL, &set));
    VkPipelineLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1,
        .pSetLayouts = &set};
    VkPipelineLayout layout;
    CALL(vkCreatePipelineLayout(device, &layout_info, NULL, &layout));
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
                 VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT, .module = module, .pName = entry},
        .layout = layout};
    VkPipeline pipeline;
    CALL(vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    return pipeline;
}

static void print_statistics(VkDevice device, const VkPipelineExecutableInfoKHR *which) {
    PFN_vkGetPipelineExecutableStatisticsKHR get =
        (PFN_vkGetPipelineExecutableStatisticsKHR)vkGetDeviceProcAddr(
            device, "vkGetPipelineExecutableStatisticsKHR");
    VkPipelineExecutableStatisticKHR rows[32];
    for (int i = 0; i < 32; i++)
        rows[i] = (VkPipelineExecutableStatisticKHR){
            .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR};
    uint32_t count = 32;
    CALL(get(device, which, &count, rows));
    for (uint32_t i = 0; i < count; i++)
        printf("statistic: %s = %llu\n", rows[i].name, (unsigned long long)rows[i].value.u64);
}

static void print_assembly(VkDevice device, const VkPipelineExecutableInfoKHR *which) {
    PFN_vkGetPipelineExecutableInternalRepresentationsKHR get =
        (PFN_vkGetPipelineExecutableInternalRepresentationsKHR)vkGetDeviceProcAddr(
            device, "vkGetPipelineExecutableInternalRepresentationsKHR");
    VkPipelineExecutableInternalRepresentationKHR rows[8];
    for (int i = 0; i < 8; i++)
        rows[i] = (VkPipelineExecutableInternalRepresentationKHR){
            .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR};
    uint32_t count = 8;
    CALL(get(device, which, &count, rows));
    for (uint32_t i = 0; i < count; i++) rows[i].pData = malloc(rows[i].dataSize);
    CALL(get(device, which, &count, rows));
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].isText && strstr(rows[i].name, "Assembly"))
            fwrite(rows[i].pData, 1, strlen(rows[i].pData), stdout);
}

int main(int count, char **words) {
    if (count != 3) return fputs("usage: compile_spirv FILE ENTRY\n", stderr), 2;
    VkPhysicalDevice card = first_card();
    VkDevice device = open_card(card);
    VkPipeline pipeline = compile(device, words[1], words[2]);
    VkPipelineExecutableInfoKHR which = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, .pipeline = pipeline};
    print_statistics(device, &which);
    print_assembly(device, &which);
    return 0;
}
